import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOllama } from "@langchain/ollama";
import {
  json,
  type ModelServer,
  modelServer,
  type NearList,
  nearList,
  type SeenRequest,
  say,
} from "@lmserv/test-near";
import { generateText, streamText } from "ai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nearFetch } from "../src/index.ts";

let near: NearList;
let server: ModelServer;

/** A server of both APIs, as Ollama is one. */
function answer(request: SeenRequest): void {
  const { url, body, response } = request;
  if (url.startsWith("/v1/")) return say(request, "one two three");
  const { stream = true, model } = JSON.parse(body.toString()) as { stream?: boolean; model: string };
  const line = (content: string, done: boolean): string =>
    `${JSON.stringify({ model, created_at: "2026-01-01T00:00:00Z", message: { role: "assistant", content }, done })}\n`;
  if (!stream) return json(response, 200, JSON.parse(line("one two three", true)));
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const word of ["one ", "two ", "three"]) response.write(line(word, false));
  response.end(line("", true));
}

beforeEach(async () => {
  near = await nearList();
  server = await modelServer(answer);
  await near.list({ id: "box", port: server.port, apis: ["openai", "ollama"], server: "ollama" });
});

afterEach(async () => {
  await near[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const messages = [{ role: "user" as const, content: "hi" }];

describe("openai", () => {
  function client(): OpenAI {
    const { baseURL, fetch } = nearFetch(near.discovery, { waitMs: 0 });
    return new OpenAI({ baseURL, fetch, apiKey: "-" });
  }

  test("completes", async () => {
    const { choices } = await client().chat.completions.create({ model: "llama3", messages });
    expect(choices[0]?.message.content).toBe("one two three");
  });

  test("streams", async () => {
    const stream = await client().chat.completions.create({ model: "llama3", messages, stream: true });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("one two three");
  });

  test("lists models", async () => {
    const { data } = await client().models.list();
    expect(data.map(({ id }) => id)).toEqual(["llama3"]);
  });

  test("asks once for a model that is not there", async () => {
    const error = await client()
      .chat.completions.create({ model: "nope", messages })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", message: expect.stringContaining("llama3") });
    expect(server.requests).toHaveLength(0);
  });

  test("sends tools and images of 10 MB", async () => {
    const url = `data:image/png;base64,${"A".repeat(10_000_000)}`;
    const tools = [{ type: "function" as const, function: { name: "look", parameters: {} } }];
    const content = [{ type: "image_url" as const, image_url: { url } }];
    await client().chat.completions.create({ model: "llama3", tools, messages: [{ role: "user", content }] });
    const body = JSON.parse(server.requests[0]?.body.toString() ?? "") as {
      tools: unknown;
      messages: unknown;
    };
    expect(body).toMatchObject({ tools, messages: [{ content }] });
  });
});

describe("the AI SDK", () => {
  function model() {
    const { baseURL, fetch } = nearFetch(near.discovery);
    return createOpenAICompatible({ name: "near", baseURL, fetch })("llama3");
  }

  test("completes", async () => {
    expect((await generateText({ model: model(), prompt: "hi" })).text).toBe("one two three");
  });

  test("streams", async () => {
    const chunks: string[] = [];
    for await (const chunk of streamText({ model: model(), prompt: "hi" }).textStream) chunks.push(chunk);
    expect(chunks.join("")).toBe("one two three");
  });
});

describe("ollama", () => {
  function client(): Ollama {
    const { origin, fetch } = nearFetch(near.discovery, { waitMs: 0 });
    return new Ollama({ host: origin, fetch });
  }

  test("completes", async () => {
    const { message } = await client().chat({ model: "llama3", messages });
    expect(message.content).toBe("one two three");
  });

  test("streams", async () => {
    let text = "";
    for await (const { message } of await client().chat({ model: "llama3", messages, stream: true }))
      text += message.content;
    expect(text).toBe("one two three");
  });

  test("lists models", async () => {
    expect((await client().list()).models.map(({ name }) => name)).toEqual(["llama3"]);
  });

  test("says which models there are", async () => {
    await expect(client().chat({ model: "nope", messages })).rejects.toThrow(
      /no node has the model "nope".*llama3/,
    );
  });
});

describe("LangChain", () => {
  test("completes", async () => {
    const { origin, fetch } = nearFetch(near.discovery);
    const chat = new ChatOllama({ model: "llama3", baseUrl: origin, fetch });
    expect((await chat.invoke("hi")).content).toBe("one two three");
  });
});
