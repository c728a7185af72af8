import { connect } from "node:net";
import { json, nearList, type SeenRequest } from "@lmserv/test-near";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { endpoint } from "./endpoint.ts";
import { ask, chat, question, site } from "./site.ts";

const lan = site();

describe("a client", () => {
  test("of OpenAI's API works with no change but its address", async () => {
    const { url } = await lan.before(await lan.serve());
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "-" });
    const messages = [{ role: "user" as const, content: "hi" }];
    const { choices } = await client.chat.completions.create({ model: "llama3", messages });
    expect(choices[0]?.message.content).toBe("hello");
    let text = "";
    const stream = await client.chat.completions.create({ model: "llama3", messages, stream: true });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("hello");
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["llama3"]);
    const error = await client.chat.completions
      .create({ model: "nope", messages })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 404, code: "model_not_found" });
  });

  test("of Ollama's API works with no change but its address", async () => {
    const message = { role: "assistant", content: "hello" };
    const { url } = await lan.before(
      await lan.serve(({ response }) => json(response, 200, { message, done: true })),
    );
    const client = new Ollama({ host: url });
    const answer = await client.chat({ model: "llama3", messages: [{ role: "user", content: "hi" }] });
    expect(answer.message.content).toBe("hello");
    expect((await client.list()).models.map(({ name }) => name)).toEqual(["llama3"]);
    await expect(client.delete({ model: "llama3" })).rejects.toThrow(/changes the models of a node/);
  });
});

describe("a request", () => {
  test("is forwarded without headers of the connection and secrets, and marked", async () => {
    const server = await lan.serve();
    const { send } = await lan.before(server);
    const headers = {
      authorization: "Bearer mine",
      cookie: "a=b",
      connection: "x-mine, close",
      "x-mine": "1",
      te: "trailers",
      "x-other": "2",
      "accept-encoding": "br",
      via: "1.1 proxy",
    };
    const { status, headers: answered } = await send({
      method: "POST",
      path: `${chat}?q=1`,
      body: question,
      headers,
    });
    expect(status).toBe(200);
    expect(answered).toMatchObject({ via: "1.1 lmserv", "x-lmserv-node": "box", "x-lmserv-attempts": "1" });
    const [seen] = server.requests;
    expect(seen?.url).toBe(`${chat}?q=1`);
    expect(seen?.headers).toMatchObject({
      "x-other": "2",
      "accept-encoding": "br",
      via: "1.1 proxy, 1.1 lmserv",
    });
    for (const name of ["authorization", "cookie", "x-mine", "te"])
      expect(seen?.headers).not.toHaveProperty(name);
  });

  test.each([
    ["the same endpoint", { "x-lmserv-hop": "1" }],
    ["another gateway", { via: "1.1 lmserv" }],
  ])("that comes from %s ends there", async (_, headers) => {
    const server = await lan.serve();
    const { status, body } = await ask(await lan.before(server), headers);
    expect(status).toBe(508);
    expect(JSON.parse(body)).toMatchObject({ error: { code: "loop_detected" } });
    expect(server.requests).toHaveLength(0);
  });

  test("through two gateways ends at the second", async () => {
    const server = await lan.serve();
    const second = await lan.before(server);
    const first = await nearList();
    lan.keep(first);
    await first.list({ id: "gateway", port: second.port });
    const outer = await endpoint(first.discovery);
    lan.keep(outer);
    expect((await ask(outer)).status).toBe(508);
    expect(server.requests).toHaveLength(0);
  });

  test("without a model is refused, and so is an unknown path", async () => {
    const { send } = await lan.before(await lan.serve());
    expect(await send({ method: "POST", path: chat, body: "{}" })).toMatchObject({
      status: 400,
      body: expect.stringContaining("missing_model"),
    });
    expect(await send({ method: "POST", path: "/api/chat", body: "no json" })).toMatchObject({
      status: 400,
      body: JSON.stringify({ error: "the request names no model; the body needs a string `model`" }),
    });
    expect((await send({ path: "/other" })).status).toBe(404);
  });

  test.each(["DELETE", "PUT", "PATCH", "OPTIONS"])("by %s goes to nobody", async (method) => {
    const server = await lan.serve();
    const { send } = await lan.before(server);
    expect((await send({ method, path: "/v1/models/llama3" })).status).toBe(405);
    expect(server.requests).toHaveLength(0);
  });

  test("to the root is greeted as Ollama greets", async () => {
    const { send } = await lan.open();
    expect(await send({ path: "/" })).toMatchObject({ status: 200, body: "Ollama is running" });
    expect(await send({ method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });

  test("for which nobody is there may come again", async () => {
    const { status, headers } = await ask(await lan.open());
    expect(status).toBe(503);
    expect(headers).toMatchObject({ "retry-after": "5", "x-should-retry": "false" });
  });

  test("for LMServ's chat goes to LMServ, and to nobody else", async () => {
    const server = await lan.serve(({ response }) => response.end("ok"));
    const { send } = await lan.before(server);
    expect(await send({ method: "POST", path: "/chat", body: "hi" })).toMatchObject({
      status: 503,
      body: expect.stringContaining("it does not speak LMServ's API"),
    });
    await lan.near.list({ id: "original", port: server.port, apis: [], server: null, models: [] });
    expect(await send({ method: "POST", path: "/chat", body: "hi" })).toMatchObject({
      status: 200,
      body: "ok",
    });
  });

  test("with a body that is too long is refused before it is read", async () => {
    const { send } = await lan.before(await lan.serve());
    const headers = { "content-length": String(65 * 1_048_576) };
    const request = send({ method: "POST", path: chat, headers, body: "{" });
    expect((await request).status).toBe(413);
  });

  test("of unknown length is refused once it is too long", async () => {
    const server = await lan.serve();
    const { url } = await lan.before(server);
    const chunk = Buffer.alloc(1_048_576);
    async function* tooLong(): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < 65; sent += 1) yield chunk;
    }
    const body = ReadableStream.from(tooLong());
    const response = await fetch(`${url}${chat}`, { method: "POST", body, duplex: "half" });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "body_too_large" } });
    expect(server.requests).toHaveLength(0);
  });

  test("with a URL that is too long is refused", async () => {
    const { send } = await lan.before(await lan.serve());
    expect((await send({ path: `/v1/${"a".repeat(9_000)}` })).status).toBe(414);
  });

  test("to change the protocol is refused", async () => {
    const { port } = await lan.open();
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /v1/realtime HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 501 /);
  });
});

describe("what is known of all nodes", () => {
  const ollama = { server: "ollama", apis: ["ollama", "openai"] };

  test("is Ollama's version: the lowest of the nodes that can be used", async () => {
    const server = await lan.serve(({ response }) => json(response, 200, { version: "9" }));
    const ids = ["new", "old", "early", "silent", "keyed", "other"];
    await lan.near.list(...ids.map((id, index) => ({ ...ollama, id, port: index + 1 })), {
      ...ollama,
      id: "kobold",
      port: server.port,
      server: "koboldcpp",
    });
    const versions = {
      new: "0.12.10",
      old: "0.12.9",
      early: "0.12.9-rc1",
      silent: "0.1.0",
      keyed: "0.2.0",
      other: "x",
    };
    const { send } = await lan.open();
    const version = async (): Promise<unknown> => JSON.parse((await send({ path: "/api/version" })).body);
    expect(await version()).toEqual({ version: "9" });
    await lan.near.check("new", "healthy", [], versions.new);
    expect(await version()).toEqual({ version: "0.12.10" });
    for (const id of ["old", "other"] as const) await lan.near.check(id, "busy", [], versions[id]);
    await lan.near.check("silent", "silent", [], versions.silent);
    await lan.near.check("keyed", "auth", [], versions.keyed);
    expect(await version()).toEqual({ version: "0.12.9" });
    await lan.near.check("early", "loading", [], versions.early);
    expect(await version()).toEqual({ version: "0.12.9-rc1" });
  });

  test("is none of a node that is never used", async () => {
    await lan.near.list({ ...ollama, id: "stranger", port: 1, models: ["theirs"] });
    const { send } = await lan.open({ trust: "signed" });
    expect(JSON.parse((await send({ path: "/v1/models" })).body)).toEqual({ object: "list", data: [] });
    expect(JSON.parse((await send({ path: "/api/tags" })).body)).toEqual({ models: [] });
  });

  test("is asked for a model by its name, whose escapes may make no text", async () => {
    const { send } = await lan.before(await lan.serve(({ response }) => json(response, 404, {})));
    expect((await send({ path: "/v1/models/llama3" })).status).toBe(200);
    expect((await send({ path: "/v1/models/%" })).status).toBe(404);
  });
});

describe("what one node keeps", () => {
  const file = { method: "GET", path: "/v1/files/1" };

  test("is asked of the only node", async () => {
    const server = await lan.serve(({ response }) => json(response, 200, { id: "1" }));
    const { send } = await lan.before(server);
    expect((await send(file)).status).toBe(200);
  });

  test("is refused where there are several, unless one is named", async () => {
    const [server, other] = [await lan.serve(({ response }) => response.end("mine")), await lan.serve()];
    const { send } = await lan.before(server);
    await lan.near.list({ id: "other", port: other.port });
    const { status, body } = await send(file);
    expect(status).toBe(501);
    expect(body).toContain(`http://127.0.0.1:${other.port}`);
    expect(await send({ ...file, headers: { "x-lmserv-node": "box" } })).toMatchObject({
      status: 200,
      body: "mine",
    });
  });

  test("is the response that the next one goes on from", async () => {
    const answer = ({ response }: SeenRequest): unknown =>
      json(response, 200, { id: "resp_1", object: "response" });
    const [first, second] = [await lan.serve(answer), await lan.serve()];
    await lan.near.list({ id: "first", port: first.port }, { id: "second", port: second.port });
    const { send } = await lan.open({ prefer: ["second"] });
    const path = "/v1/responses";
    await send({
      method: "POST",
      path,
      headers: { "x-lmserv-node": "first" },
      body: '{"model":"llama3","input":"a"}',
    });
    const body = '{"model":"llama3","input":"b","previous_response_id":"resp_1"}';
    const next = await send({ method: "POST", path, body });
    expect(next.headers["x-lmserv-node"]).toBe("first");
  });

  test.each([
    ["DELETE", "/api/delete", 403],
    ["POST", "/api/delete", 403],
    ["POST", "/api/push", 403],
    ["POST", "/api/create", 403],
    ["POST", "/api/copy", 403],
    ["HEAD", "/api/blobs/sha256:1", 403],
    ["POST", "/api/pull/", 403],
    ["POST", "/api/%70ull", 403],
    ["POST", "/api/Pull", 403],
    ["POST", "/v1/%66iles", 501],
    ["POST", "//api/pull", 404],
    ["POST", "/api//pull", 404],
    ["POST", "/api/chat/../pull", 404],
    ["POST", "/v1/%2e%2e/api/pull", 404],
    ["POST", "/v1/..%2fapi%2fpull", 404],
    ["POST", "/api/chat/..%5cpull", 404],
    ["POST", "/api/%", 404],
  ])("is not changed by %s %s", async (method, path, status) => {
    const server = await lan.serve();
    const { send } = await lan.before(server);
    const second = await lan.serve();
    await lan.near.list({ id: "second", port: second.port, apis: ["openai", "ollama"] });
    const body = method === "HEAD" ? undefined : question;
    expect(await send({ method, path, ...(body && { body }) })).toMatchObject({ status });
    expect([...server.requests, ...second.requests]).toHaveLength(0);
  });

  test("are its models, which nobody changes unless that is wanted", async () => {
    const server = await lan.serve(({ response }) => response.end("pulled"));
    const pull = { method: "POST", path: "/api/pull", body: '{"model":"phi"}' };
    expect((await (await lan.before(server)).send(pull)).status).toBe(403);
    expect(await (await lan.open({ manages: true })).send(pull)).toMatchObject({
      status: 200,
      body: "pulled",
    });
  });
});
