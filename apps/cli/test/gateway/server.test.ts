import { once } from "node:events";
import { connect } from "node:net";
import type { RequestHandler } from "@lmserv/discovery-gateway";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ConnectionLimits,
  connectionLimits,
  type GatewayServer,
  listenGateway,
} from "../../src/gateway/server.ts";

let served: number;
let server: GatewayServer;

const handler: RequestHandler = {
  async handle(request, response) {
    served += 1;
    request.on("error", () => {}).resume();
    request.once("end", () => response.end("served"));
  },
  refuseUpgrade() {},
  [Symbol.dispose]() {},
};

async function listen(limits: Partial<ConnectionLimits> = {}): Promise<void> {
  server = await listenGateway(
    handler,
    { address: "127.0.0.1", port: 0 },
    { ...connectionLimits, ...limits },
  );
}

/** Sends a text, leaves the connection open, and resolves with the answer until the server ends it. */
async function send(text: string): Promise<string> {
  const socket = connect(server.port, "127.0.0.1").setEncoding("utf8");
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

const head = "POST / HTTP/1.1\r\nhost: localhost\r\n";
/** Limits are enforced at short intervals, so that any of them is over soon. */
const soon = { connectionsCheckingInterval: 5 };

beforeEach(() => {
  served = 0;
});
afterEach(() => server.drain(AbortSignal.abort()));

describe("a client of the endpoint", () => {
  test("that sends headers without an end is told that they are too large", async () => {
    await listen();
    expect(await send(`${head}x: ${"x".repeat(connectionLimits.maxHeaderSize)}`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(served).toBe(0);
  });

  test("that connects and says nothing is told that it is late", async () => {
    await listen({ ...soon, headersTimeout: 10 });
    expect(await send("")).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("whose headers have no end is told that it is late", async () => {
    await listen({ ...soon, headersTimeout: 10 });
    expect(await send(head)).toMatch(/^HTTP\/1\.1 408 /);
    expect(served).toBe(0);
  });

  test("whose body has no end is told that it is late", async () => {
    await listen({ ...soon, headersTimeout: 10, requestTimeout: 20 });
    expect(await send(`${head}content-length: 9\r\n\r\n`)).toMatch(/^HTTP\/1\.1 408 /);
  });
});
