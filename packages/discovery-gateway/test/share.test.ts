import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { json, nearList, sayWord } from "@lmserv/test-near";
import { Ollama } from "ollama";
import { describe, expect, test } from "vitest";
import { createShare, type ShareOptions } from "../src/index.ts";
import { endpoint, type Listening, listen, type RawRequest } from "./endpoint.ts";
import { chat, question, site } from "./site.ts";

const lan = site();

/** Offers a server on loopback. */
async function share(
  { port }: { readonly port: number },
  { path = null, ...options }: ShareOptions & { readonly path?: string | null } = {},
): Promise<Listening> {
  return lan.keep(await listen(createShare({ host: "127.0.0.1", port, path }, options)));
}

const asking: RawRequest = { method: "POST", path: chat, body: question };

describe("a shared server", () => {
  test("answers what it is asked, with the keys of its clients, and is no gateway", async () => {
    const server = await lan.serve();
    const { send } = await share(server);
    const headers = { authorization: "Bearer its-own", cookie: "a=b", connection: "x-mine", "x-mine": "1" };
    const answer = await send({ ...asking, headers });
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining("hello") });
    expect(answer.headers).not.toHaveProperty("x-lmserv-node");
    const [seen] = server.requests;
    expect(seen).toMatchObject({
      url: chat,
      headers: { authorization: "Bearer its-own", host: `127.0.0.1:${server.port}` },
    });
    expect(seen?.body.toString()).toBe(question);
    for (const name of ["x-lmserv-hop", "x-mine", "cookie"]) expect(seen?.headers).not.toHaveProperty(name);
  });

  test("is a node of a gateway, and of no second one behind it", async () => {
    const server = await lan.serve();
    const shared = await share(server);
    const { send } = await lan.before(shared);
    expect((await send(asking)).status).toBe(200);
    expect(server.requests[0]?.headers).toMatchObject({ "x-lmserv-hop": "1" });
    const far = await nearList();
    lan.keep(far);
    await far.list({ id: "share", port: (await share(await lan.open())).port });
    const outer = lan.keep(await endpoint(far.discovery));
    expect((await outer.send(asking)).status).toBe(508);
  });

  test("works for Ollama's client", async () => {
    const message = { role: "assistant", content: "hello" };
    const { url } = await share(
      await lan.serve(({ response }) => json(response, 200, { message, models: [], done: true })),
    );
    const client = new Ollama({ host: url });
    const answer = await client.chat({ model: "llama3", messages: [{ role: "user", content: "hi" }] });
    expect(answer.message.content).toBe("hello");
    expect((await client.list()).models).toEqual([]);
    await expect(client.delete({ model: "llama3" })).rejects.toThrow(/inference only/);
    await expect(client.pull({ model: "llama3" })).rejects.toThrow(/inference only/);
  });

  test.each([
    ["DELETE", "/api/delete", 404],
    ["POST", "/api/pull", 404],
    ["POST", "/api/push", 404],
    ["POST", "/api/create", 404],
    ["POST", "/api/copy", 404],
    ["HEAD", "/api/blobs/sha256:1", 404],
    ["POST", "//api/delete", 404],
    ["POST", "/api/../api/delete", 404],
    ["POST", "/api/%64elete", 404],
    ["POST", "/api/chat/../delete", 404],
    ["GET", "http://127.0.0.1/api/tags", 404],
    ["GET", "/v1/models/../../slots", 404],
    ["GET", "/v1/models/a%2f..%2f..%2f..%2fslots", 404],
    ["GET", "/v1/models/%2e%2e/files", 404],
    ["GET", "/v1/models/%", 404],
    ["DELETE", "/v1/models/llama3", 405],
    ["GET", "/v1/chat/completions", 405],
    ["GET", "/v1/files", 404],
    ["GET", "/v1/responses/resp_1", 404],
    ["POST", "/v1/load_lora_adapter", 404],
    ["POST", "/v1/internal/model/load", 404],
    ["GET", "/slots", 404],
    ["POST", "/props", 404],
    ["GET", "/metrics", 404],
  ])("is not asked to %s %s", async (method, path, status) => {
    const server = await lan.serve();
    const { send } = await share(server);
    expect(await send({ method, path, body: method === "POST" ? "{}" : "" })).toMatchObject({ status });
    expect(server.requests).toHaveLength(0);
  });

  test.each([
    [null, "POST", "/api/embed"],
    [null, "GET", "/v1/models/meta-llama%2FLlama-3.2"],
    [null, "GET", "/api/ps"],
    ["/talk", "POST", "/talk"],
    ["/engines/v1/chat/completions", "POST", "/engines/v1/embeddings"],
    ["/engines/v1/chat/completions", "GET", "/engines/v1/models"],
  ])("whose chat endpoint is %j is asked to %s %s", async (path, method, asked) => {
    const server = await lan.serve(({ response }) => json(response, 200, {}));
    const { send } = await share(server, { path });
    expect((await send({ method, path: `${asked}?a=b`, body: method === "POST" ? "{}" : "" })).status).toBe(
      200,
    );
    expect(server.requests).toMatchObject([{ method, url: `${asked}?a=b` }]);
  });

  test.each([
    [{ host: "evil.example" }, 421],
    [{ origin: "https://evil.example", "content-type": "text/plain" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
  ])("is not asked by pages of strangers: %j", async (headers, status) => {
    const server = await lan.serve();
    const { send } = await share(server, { hostname: "box" });
    expect(await send({ ...asking, headers })).toMatchObject({
      status,
      body: expect.not.stringContaining("--allow"),
    });
    expect(server.requests).toHaveLength(0);
    expect((await send({ ...asking, headers: { host: "box.local:11434" } })).status).toBe(200);
  });

  test("with a key for the share is asked with that alone, and does not see it", async () => {
    const server = await lan.serve();
    const { send } = await share(server, { key: "secret" });
    expect((await send(asking)).status).toBe(401);
    expect((await send({ ...asking, headers: { authorization: "Bearer secret" } })).status).toBe(200);
    expect(JSON.stringify(server.requests[0]?.headers)).not.toContain("secret");
  });

  test("that has ended is told with 502", async () => {
    const server = await lan.serve();
    const { send } = await share(server);
    await server[Symbol.asyncDispose]();
    expect(await send(asking)).toMatchObject({
      status: 502,
      body: expect.stringContaining("it refuses connections"),
    });
  });

  test("is sent no body that is too long, and no other protocol", async () => {
    const server = await lan.serve();
    const { send, port } = await share(server);
    const headers = { "content-length": String(65 * 1_048_576) };
    expect((await send({ ...asking, headers, body: "{" })).status).toBe(413);
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 501 /);
    expect(server.requests).toHaveLength(0);
  });

  test("stops when its client goes, and breaks off the answer when it dies", async () => {
    const server = await lan.serve((request) => {
      request.response.writeHead(200, { "content-type": "text/event-stream" });
      sayWord(request, "one ");
    });
    const { port } = await share(server);
    const start = () => {
      const request = httpRequest({ host: "127.0.0.1", port, method: "POST", path: chat, agent: false });
      request.on("error", () => {});
      request.end(question);
      return request;
    };
    const leaving = start();
    await once(leaving, "response");
    leaving.destroy();
    await (await server.request(1)).gone;
    const [response] = await once(start(), "response");
    (await server.request(2)).response.socket?.destroy();
    response.resume();
    const [error] = await once(response, "error");
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });
});
