import type { IncomingMessage, ServerResponse } from "node:http";
import { documentPath, type WellKnownDocument } from "./document.ts";

/** Long enough to spare a server repeated questions, short enough to follow a change of models. */
const maxAgeSeconds = 60;

/**
 * Serves the document from any Node HTTP server: answers a request for it, and tells by false that it was none.
 *
 * GET and HEAD only; readable by everybody, without credentials, so it should hold nothing that is not for everybody.
 */
export function documentHandler(
  document: () => WellKnownDocument,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.url?.split("?", 1)[0] !== documentPath) return false;
    if (request.method !== "GET" && request.method !== "HEAD") {
      // The body of such a request is not read.
      response.writeHead(405, { allow: "GET, HEAD", connection: "close", "content-length": 0 }).end();
      return true;
    }
    const body = Buffer.from(JSON.stringify(document()));
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": body.length,
      "cache-control": `max-age=${maxAgeSeconds}`,
      "x-content-type-options": "nosniff",
    });
    response.end(request.method === "HEAD" ? undefined : body);
    return true;
  };
}
