import type { IncomingMessage, ServerResponse } from "node:http";
import { maxBodyBytes } from "../http/limits.ts";
import { documentPath, maxServers, type WellKnownDocument } from "./document.ts";

/** Long enough to spare a server repeated questions, short enough to follow a change of models. */
const maxAgeSeconds = 60;

/**
 * Serves the document from any Node HTTP server; returns false for other requests.
 *
 * GET and HEAD only. It is readable without credentials, so that it should hold public data only. At most 32
 * servers in 64 KiB are served, to which their lists of models are cut.
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
    const body = encode(document());
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

/** Document with the fields that readers use; each list of models keeps the same count of first names. */
function encode({ schemaVersion, role, servers }: WellKnownDocument): Buffer {
  const listed = servers.slice(0, maxServers);
  const bodyWith = (count: number): Buffer => {
    const cut = listed.map((server) => ({
      ...server,
      ...(server.models && { models: server.models.slice(0, count) }),
      ...((server.models?.length ?? 0) > count && { modelsCut: true }),
    }));
    return Buffer.from(JSON.stringify({ schemaVersion, ...(role !== undefined && { role }), servers: cut }));
  };
  let count = Math.max(0, ...listed.map(({ models = [] }) => models.length));
  let body = bodyWith(count);
  while (body.length > maxBodyBytes && count > 0) {
    count = Math.floor(count / 2);
    body = bodyWith(count);
  }
  return body;
}
