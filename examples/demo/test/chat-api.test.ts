import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chatApi } from "../src/chat-api.ts";

let server: Server;
let url: string;

beforeEach(async () => {
  server = createServer(chatApi({ info: "box", model: "parrot-3b" })).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});

afterEach(() => server.close().closeAllConnections());

const ask = (body: string): Promise<Response> => fetch(`${url}/chat`, { method: "POST", body });

test("is recognized as LMServ", async () => {
  expect(await (await fetch(url)).text()).toMatch(/^LMServ/);
  const health = await fetch(`${url}/health`);
  expect(health.headers.get("content-type")).toBe("application/json");
  expect(await health.json()).toMatchObject({ status: "ok", default_model: "parrot-3b" });
});

test("streams its answer word by word", async () => {
  const response = await ask('{"prompt": "Hello!"}');
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  const chunks: string[] = [];
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) chunks.push(text);
  expect(chunks.length).toBeGreaterThan(3);
  expect(chunks.join("")).toMatch(/^Hello! I am parrot-3b on box, .*\.\n$/);
});

test("says as many words as it may", async () => {
  const response = await ask('{"prompt": "Hello!", "max_tokens": 2}');
  expect(await response.text()).toBe("Hello! I\n");
});

test.each([
  ["no JSON", "Hello!"],
  ["null", "null"],
  ["no prompt", "{}"],
  ["half a token", '{"prompt": "", "max_tokens": 0.5}'],
  ["no token", '{"prompt": "", "max_tokens": 0}'],
  ["a novel", JSON.stringify({ prompt: "x".repeat(100_000) })],
])("refuses %s", async (_, body) => {
  const response = await ask(body);
  expect(response.status).toBe(400);
  expect(await response.text()).not.toBe("");
});

test("serves nothing else", async () => {
  expect((await fetch(`${url}/chat`)).status).toBe(404);
  expect((await fetch(`${url}/v1/models`)).status).toBe(404);
});
