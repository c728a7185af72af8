import type { IncomingMessage, ServerResponse } from "node:http";
import { hostNames, isOwnHost, parseHostHeader } from "@lmserv/discovery-network";

/**
 * Answers a refused request; returns false if it may be handled.
 *
 * Questions have no body. A page with a name that points at this machine (DNS rebinding) asks for that name.
 * So a `Host` must be an address, `localhost` or a name of this machine; others are misdirected (RFC 9110
 * section 15.5.20).
 */
export function turnAway(request: IncomingMessage, response: ServerResponse, hostname: string): boolean {
  const status = refusalOf(request, hostname);
  if (status === null) return false;
  // The rest of that connection is not read.
  const allow = status === 405 ? { allow: "GET, HEAD" } : {};
  response.writeHead(status, { ...allow, connection: "close", "content-length": 0 }).end();
  return true;
}

function refusalOf({ method, headers, headersDistinct }: IncomingMessage, hostname: string): number | null {
  if (method !== "GET" && method !== "HEAD") return 405;
  if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0) return 413;
  const [header, ...more] = headersDistinct.host ?? [];
  const host = parseHostHeader(header);
  if (host === null || more.length > 0) return 400;
  return isOwnHost(host) || hostNames(hostname).includes(host) ? null : 421;
}
