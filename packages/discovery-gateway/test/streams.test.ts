import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { type ModelServer, type SeenRequest, sayWord, steady } from "@lmserv/test-near";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Endpoint } from "./endpoint.ts";
import { ask, chat, question, site } from "./site.ts";

const lan = site();

describe("a stream", () => {
  const streamed = JSON.stringify({ model: "llama3", stream: true, messages: [] });

  /** A client in the middle of an answer. */
  async function streaming(gateway: Endpoint, server: ModelServer) {
    const request = httpRequest({
      host: "127.0.0.1",
      port: gateway.port,
      method: "POST",
      path: chat,
      agent: false,
    });
    request.on("error", () => {});
    request.end(streamed);
    const seen = await server.request(1);
    return { request, seen };
  }

  const begin = (request: SeenRequest): void => {
    request.response.writeHead(200, { "content-type": "text/event-stream" });
    sayWord(request, "one ");
  };

  test("comes as it is, word by word", async () => {
    const server = await lan.serve(begin);
    const { request, seen } = await streaming(await lan.before(server), server);
    const [response] = await once(request, "response");
    const [first] = await once(response, "data");
    expect(first.toString()).toContain("one ");
    sayWord(seen, "two ");
    const [second] = await once(response, "data");
    expect(second.toString()).toContain("two ");
    seen.response.end();
    await once(response, "end");
  });

  test("of a client that goes ends at the node: while it waits, and in the middle", async () => {
    const waiting = await lan.serve(() => {});
    const early = await streaming(await lan.before(waiting), waiting);
    early.request.destroy();
    await early.seen.gone;
    const server = await lan.serve(begin);
    await lan.near.list({ id: "box", port: server.port });
    const late = await streaming(await lan.open(), server);
    await once(late.request, "response");
    late.request.destroy();
    await late.seen.gone;
  });

  test("that breaks off at the node breaks off at the client", async () => {
    const server = await lan.serve(begin);
    const { request, seen } = await streaming(await lan.before(server), server);
    const [response] = await once(request, "response");
    seen.response.socket?.destroy();
    response.resume();
    const [error] = await once(response, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  test("of a client that does not read holds the node back", async () => {
    const server = await lan.serve(begin);
    const { request, seen } = await streaming(await lan.before(server), server);
    await once(request, "response");
    const chunk = Buffer.alloc(1_048_576);
    let sent = 0;
    const write = (): void => {
      if (sent < 256) seen.response.write(chunk, wrote);
    };
    const wrote = (): void => {
      sent += 1;
      write();
    };
    write();
    expect(await steady(() => sent)).toBeLessThan(64);
    request.destroy();
    await seen.gone;
  });

  test("is one of two hundred that are open at once, of which little is kept", async () => {
    const upstream = new Set<IncomingMessage>();
    const note = (message: unknown): void => {
      const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
      if (request.getHeader("x-lmserv-hop") !== undefined) upstream.add(response);
    };
    subscribe("http.client.response.finish", note);
    onTestFinished(() => void unsubscribe("http.client.response.finish", note));
    const server = await lan.serve(begin);
    const gateway = await lan.before(server);
    const clients = Array.from({ length: 200 }, () => {
      const place = { host: "127.0.0.1", port: gateway.port, path: chat };
      return httpRequest({ ...place, method: "POST", agent: false }).end(streamed);
    });
    const answers = await Promise.all(clients.map((client) => once(client, "response")));
    expect(server.requests.filter(({ response }) => !response.writableEnded)).toHaveLength(200);
    expect(await inFlight(gateway)).toBe(200);

    // None of them is read by its client.
    const part = Buffer.alloc(262_144);
    for (const { response } of server.requests) response.write(part);
    await steady(() => [...upstream].reduce((sum, { socket }) => sum + socket.bytesRead, 0));
    expect(upstream.size).toBe(200);
    for (const { readableLength } of upstream) expect(readableLength).toBeLessThanOrEqual(keptBytes);
    for (const { writableLength } of gateway.responses) expect(writableLength).toBeLessThanOrEqual(keptBytes);

    for (const { response } of server.requests) response.end("data: [DONE]\n\n");
    for (const [answer] of answers) {
      const body = Buffer.concat(await answer.toArray());
      expect(body.length).toBeGreaterThan(part.length);
      expect(body.subarray(-14).toString()).toBe("data: [DONE]\n\n");
    }
    expect(await inFlight(gateway)).toBe(0);
  });
});

/** One chunk of the system and the buffer of a stream, in bytes. */
const keptBytes = 2 * 65_536;

/** Requests under way, as the metrics have it. */
async function inFlight({ send }: Endpoint): Promise<number> {
  const { body } = await send({ path: "/metrics" });
  const values = [...body.matchAll(/^lmserv_gateway_in_flight\{.*\} (\d+)$/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

describe("a client that sends its request slowly and goes", () => {
  test("leaves nothing behind, and reaches no node", async () => {
    const server = await lan.serve();
    const gateway = await lan.before(server);
    const request = httpRequest({
      host: "127.0.0.1",
      port: gateway.port,
      method: "POST",
      path: chat,
      agent: false,
    });
    request.on("error", () => {});
    request.write(question.slice(0, 10));
    request.flushHeaders();
    const [socket] = await once(request, "socket");
    if (socket.connecting) await once(socket, "connect");
    // The endpoint has begun with it once it answers another one.
    await ask(gateway);
    request.destroy();
    await expect.poll(() => gateway.outcomes.length).toBe(2);
    expect(gateway.outcomes[1]).toMatchObject({ status: 0, node: null, attempts: 0 });
    expect(server.requests).toHaveLength(1);
  });
});
