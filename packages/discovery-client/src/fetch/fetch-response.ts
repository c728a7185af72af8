import type { IncomingMessage } from "node:http";
import type { Answered } from "../forwarding/dispatcher.ts";
import { endToEnd } from "../forwarding/headers.ts";

/** Statuses whose responses have no body (Fetch, "null body status"). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** Response to `fetch` with a node's answer; cancelling its body ends the upstream request. */
export function fetchResponse(
  { node, status, headers, body, attempts }: Answered,
  signal: AbortSignal,
): Response {
  const passing = new Headers();
  for (const [name, value] of Object.entries(endToEnd(headers))) {
    for (const one of [value].flat()) passing.append(name, one);
  }
  passing.set("x-lmserv-node", node.id);
  passing.set("x-lmserv-attempts", String(attempts));
  if (body instanceof Uint8Array) passing.set("content-length", String(body.byteLength));
  const content = body instanceof Uint8Array ? Uint8Array.from(body) : bodyStream(body, signal);
  return new Response(bodiless.has(status) ? null : content, { status, headers: passing });
}

/** Bytes as they come; a slow reader holds the node back. */
function bodyStream(body: IncomingMessage, signal: AbortSignal): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(new Uint8Array(value));
        } catch (error) {
          controller.error(signal.aborted ? signal.reason : error);
        }
      },
      cancel: () => void body.destroy(),
    },
    { highWaterMark: 0 },
  );
}
