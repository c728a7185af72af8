import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { monotonicMs, type Script } from "../order.ts";

// A server of OpenAI's API that answers as the request's metadata says: upstream.js PORT. It prints `left TIME` for each
// client that goes before its answer ends.

const port = Number(process.argv[2]);

const server = createServer(async (request, response) => {
  if (request.method === "POST") return answer(request, response);
  if (request.url === "/v1/models") {
    return send(response, { object: "list", data: [{ id: "m", object: "model", owned_by: "vllm" }] });
  }
  if (request.url === "/version") return send(response, { version: "0.11.0" });
  response.writeHead(404).end();
});
// The end of an idle connection would meet a request now and then, and count as a failure of the proxy.
server.keepAliveTimeout = 0;
server.listen(port, "127.0.0.1", () => process.stdout.write("listening\n"));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = await request.toArray();
  const { stream, metadata } = JSON.parse(Buffer.concat(chunks).toString());
  if (!stream) return send(response, { choices: [{ message: { role: "assistant", content: "ok" } }] });
  const { tokens, everyMs, firstMs } = metadata as Script;
  let timer: NodeJS.Timeout | undefined;
  response.once("close", () => {
    clearTimeout(timer);
    if (!response.writableFinished) process.stdout.write(`left ${monotonicMs()}\n`);
  });
  if (firstMs === null) {
    process.stdout.write("held\n");
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  let left = tokens;
  const say = (): void => {
    const delta = { content: "token" };
    response.write(`data: ${JSON.stringify({ sent: monotonicMs(), choices: [{ index: 0, delta }] })}\n\n`);
    left -= 1;
    if (left >= 0) timer = setTimeout(say, everyMs);
    else response.end("data: [DONE]\n\n");
  };
  say();
}

function send(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}
