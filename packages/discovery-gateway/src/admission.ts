import type { IncomingMessage } from "node:http";
import type { Refusal } from "@lmserv/discovery-client/forwarding";
import { hostNames, isOwnHost, parseHostHeader } from "@lmserv/discovery-network";
import { carriesKey } from "./key.ts";
import { isAllowedOrigin } from "./origin.ts";

/** Conditions on requests. */
export interface AdmissionOptions {
  /** Key that every request must carry, or null for none. */
  readonly key: string | null;
  /** Names besides those of this machine by which clients may call it. */
  readonly allowHosts: readonly string[];
  /** Origins of pages that may use it, besides those of applications and of this machine. */
  readonly allowOrigins: readonly string[];
  /** Name of this machine. */
  readonly hostname: string;
}

/** Conditions on a request. */
export interface Admission extends AdmissionOptions {
  /** True if the options are flags of `lmserv gateway`, which refusals then name. */
  readonly hasFlags: boolean;
}

/** Marks a request that a gateway forwarded; a second one refuses it. */
export const hopHeader = "x-lmserv-hop";
/** Name by which a container knows the machine that it runs on. */
const fromContainer = "host.docker.internal";
const maxTargetBytes = 8_192;

/** Reason to refuse a request, or null. */
export function admit(request: IncomingMessage, options: Admission): Refusal | null {
  const { headers, url = "" } = request;
  if (url.length > maxTargetBytes)
    return refusal(414, "uri_too_long", `a URL has ${maxTargetBytes} bytes at most`);
  return (
    hostRefusal(request, options) ??
    pageRefusal(request, options) ??
    (options.key === null || carriesKey(headers, options.key) ? null : withoutKey)
  );
}

/** Reason to refuse a request that a gateway has forwarded, or null for any other. */
export function loopRefusal({ headers }: IncomingMessage): Refusal | null {
  return headers[hopHeader] === undefined && !/\blmserv\b/.test(headers.via ?? "") ? null : loop;
}

const loop: Refusal = refusal(
  508,
  "loop_detected",
  "a gateway sent this request to another gateway; announce servers, not gateways",
);
const withoutKey: Refusal = refusal(
  401,
  "invalid_api_key",
  "this endpoint wants its key: as a bearer token, in x-api-key, or as the password of Basic authentication",
);

/**
 * A page with a name that points at this machine (DNS rebinding) asks for that name (RFC 9110 section
 * 15.5.20).
 */
function hostRefusal(
  { headersDistinct }: IncomingMessage,
  { allowHosts, hostname, hasFlags }: Admission,
): Refusal | null {
  const [header, ...more] = headersDistinct.host ?? [];
  const host = parseHostHeader(header);
  if (host === null || more.length > 0)
    return refusal(400, "invalid_host", "the request needs one Host header");
  const known = [fromContainer, ...hostNames(hostname), ...allowHosts.map((name) => name.toLowerCase())];
  if (isOwnHost(host) || known.includes(host)) return null;
  return refusal(
    421,
    "unknown_host",
    `${host} is no name of this machine; ${hasFlags ? `--allow-host ${host} makes it one` : "call it by its address"}`,
  );
}

/** Foreign pages can send some requests without a preflight: CORS alone keeps nothing out. */
function pageRefusal(
  { headers, method, url }: IncomingMessage,
  { allowOrigins, hasFlags }: Admission,
): Refusal | null {
  const { origin } = headers;
  if (origin !== undefined && !isAllowedOrigin(origin, allowOrigins)) {
    return refusal(
      403,
      "forbidden_origin",
      `pages of ${origin} may not use this endpoint${hasFlags ? "; --allow-origin lets them" : ""}`,
    );
  }
  if (origin !== undefined || headers["sec-fetch-site"] !== "cross-site") return null;
  const isNavigation = headers["sec-fetch-mode"] === "navigate" && method === "GET" && url === "/";
  return isNavigation ? null : refusal(403, "cross_site", "a page of another site may not use this endpoint");
}

function refusal(status: number, code: string, message: string): Refusal {
  return { status, code, message, retryAfterS: null };
}
