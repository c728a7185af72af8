import type { IncomingMessage } from "node:http";
import { isOwnHost, parseHostHeader } from "@lmserv/discovery-network";
import { meshPath, meshSubprotocol } from "./mesh-url.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";

/** What an HTTP request is answered with when it cannot become a WebSocket of the mesh. */
export interface HttpRefusal {
  readonly status: 400 | 403 | 404 | 426;
  readonly refusal: Refusal;
}

/**
 * Why a request for an upgrade is refused, or null.
 *
 * A browser lets any page connect to any address, and says whose page it is in `Origin`; a page that had its
 * own name point here is betrayed by `Host`. Members dial addresses, so that no name has to be known.
 */
export function upgradeRefusal(request: IncomingMessage): HttpRefusal | null {
  const { origin, host } = request.headers;
  if (!isMeshPath(request)) return refuse(404, "not-found", `it asked for ${quote(request.url)}`);
  if (origin !== undefined) return refuse(403, "origin", `it is a page of ${quote(origin)}`);
  const name = parseHostHeader(host);
  if (name === null || !isOwnHost(name)) return refuse(403, "host", `it asked for the host ${quote(host)}`);
  if (!offersMesh(request.headers["sec-websocket-protocol"])) {
    return refuse(400, "subprotocol", `it does not offer ${meshSubprotocol}`);
  }
  return null;
}

/** The answer to a request for anything but an upgrade. */
export function requestRefusal(request: IncomingMessage): HttpRefusal {
  return isMeshPath(request)
    ? refuse(426, "no-upgrade", "it is no WebSocket")
    : refuse(404, "not-found", `it asked for ${quote(request.url)}`);
}

function isMeshPath({ url }: IncomingMessage): boolean {
  return url === meshPath;
}

function offersMesh(header: string | undefined): boolean {
  return (header ?? "").split(",").some((offer) => offer.trim() === meshSubprotocol);
}

function refuse(status: HttpRefusal["status"], reason: RefusalReason, message: string): HttpRefusal {
  return { status, refusal: new Refusal(reason, message) };
}

/** What a stranger wrote, fit for a log. */
function quote(text: string | undefined): string {
  return JSON.stringify((text ?? "").slice(0, 200));
}
