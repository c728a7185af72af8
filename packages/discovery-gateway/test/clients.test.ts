import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOllama } from "@langchain/ollama";
import { nearFetch } from "@lmserv/discovery-client";
import {
  json,
  type ModelServer,
  modelServer,
  type NearList,
  nearList,
  type SeenRequest,
  say,
} from "@lmserv/test-near";
import { generateText, jsonSchema, streamText, tool } from "ai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Endpoint, endpoint } from "./endpoint.ts";

let near: NearList;
let server: ModelServer;
let local: Endpoint;

/** Way to point a client at the servers. */
interface Way {
  readonly origin: string;
  readonly fetch: typeof fetch;
}

const ways: Readonly<Record<string, () => Way>> = {
  nearFetch: () => nearFetch(near.discovery, { waitMs: 0 }),
  "the endpoint": () => ({ origin: local.url, fetch }),
};

/** Server of both APIs, as Ollama is one; to a prompt "wait" it answers a single word, and it calls a tool that it gets. */
function answer(request: SeenRequest): void {
  const { url, body, response } = request;
  if (body.includes('"tools":[{')) return callTool(request);
  const waits = body.includes('"wait"');
  if (url.startsWith("/v1/") && !waits) return say(request, "one two three");
  const { stream = true, model } = JSON.parse(body.toString()) as { stream?: boolean; model: string };
  if (!stream) return json(response, 200, JSON.parse(line(model, "one two three", true)));
  const type = url.startsWith("/v1/") ? "text/event-stream" : "application/x-ndjson";
  response.writeHead(200, { "content-type": type });
  if (waits) return void response.write(url.startsWith("/v1/") ? event("one ") : line(model, "one ", false));
  for (const word of ["one ", "two ", "three"]) response.write(line(model, word, false));
  response.end(line(model, "", true));
}

/** One line of Ollama's answer. */
function line(model: string, content: string, done: boolean): string {
  const message = { role: "assistant", content };
  return `${JSON.stringify({ model, created_at: "2026-01-01T00:00:00Z", message, done })}\n`;
}

function callTool({ url, body, response }: SeenRequest): void {
  const { model, stream, tools } = JSON.parse(body.toString());
  const { name } = tools[0].function;
  const isOpenai = url.startsWith("/v1/");
  const called = isOpenai
    ? { id: "c1", type: "function", function: { name, arguments: '{"at":"it"}' } }
    : { function: { name, arguments: { at: "it" } } };
  const message = { role: "assistant", content: "", tool_calls: [called] };
  const choices = [{ index: 0, message, finish_reason: "tool_calls" }];
  const answered = isOpenai
    ? { id: "1", object: "chat.completion", created: 0, model, choices }
    : { model, created_at: "2026-01-01T00:00:00Z", message, done: true };
  if (isOpenai || stream === false) return json(response, 200, answered);
  response.writeHead(200, { "content-type": "application/x-ndjson" }).end(`${JSON.stringify(answered)}\n`);
}

function event(content: string): string {
  return `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content } }] })}\n\n`;
}

beforeEach(async () => {
  near = await nearList();
  server = await modelServer(answer);
  await near.list({ id: "box", port: server.port, apis: ["openai", "ollama"], server: "ollama" });
  local = await endpoint(near.discovery);
});

afterEach(async () => {
  await local[Symbol.asyncDispose]();
  await near[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const messages = [{ role: "user" as const, content: "hi" }];
const waiting = [{ role: "user" as const, content: "wait" }];
const image = "A".repeat(10_000_000);
const imageUrl = `data:image/png;base64,${image}`;
const parameters = { type: "object" as const, properties: { at: { type: "string" as const } } };
const look = { name: "look", description: "looks", parameters };

/** Body of the first request, as the server has it. */
function seen(): unknown {
  return JSON.parse(server.requests[0]?.body.toString() ?? "");
}

describe.each(Object.entries(ways))("by %s", (_, wayOf) => {
  describe("openai", () => {
    function client(): OpenAI {
      const { origin, fetch } = wayOf();
      return new OpenAI({ baseURL: `${origin}/v1`, fetch, apiKey: "-", maxRetries: 0 });
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

    test("leaves a stream, which ends at the server", async () => {
      const stream = await client().chat.completions.create({
        ...{ model: "llama3", messages: waiting, stream: true as const },
      });
      for await (const { choices } of stream) {
        expect(choices[0]?.delta.content).toBe("one ");
        break;
      }
      await (await server.request(1)).gone;
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
      const tools = [{ type: "function" as const, function: look }];
      const content = [{ type: "image_url" as const, image_url: { url: imageUrl } }];
      const { choices } = await client().chat.completions.create({
        ...{ model: "llama3", tools, messages: [{ role: "user", content }] },
      });
      expect(seen()).toMatchObject({ tools, messages: [{ content }] });
      expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "look" } }]);
    });
  });

  describe("the AI SDK", () => {
    function model() {
      const { origin, fetch } = wayOf();
      return createOpenAICompatible({ name: "near", baseURL: `${origin}/v1`, fetch })("llama3");
    }

    test("completes", async () => {
      expect((await generateText({ model: model(), prompt: "hi" })).text).toBe("one two three");
    });

    test("streams", async () => {
      const chunks: string[] = [];
      for await (const chunk of streamText({ model: model(), prompt: "hi" }).textStream) chunks.push(chunk);
      expect(chunks.join("")).toBe("one two three");
    });

    test("aborts a stream, which ends at the server", async () => {
      const ending = new AbortController();
      const { textStream } = streamText({ model: model(), prompt: "wait", abortSignal: ending.signal });
      for await (const _ of textStream) ending.abort();
      await (await server.request(1)).gone;
    });

    test("sends tools and images of 10 MB", async () => {
      const question = { type: "image" as const, image, mediaType: "image/png" };
      const { toolCalls } = await generateText({
        model: model(),
        tools: { look: tool({ description: "looks", inputSchema: jsonSchema(parameters) }) },
        messages: [{ role: "user", content: [question] }],
      });
      expect(seen()).toMatchObject({
        tools: [{ function: look }],
        messages: [{ content: [{ image_url: { url: imageUrl } }] }],
      });
      expect(toolCalls).toMatchObject([{ toolName: "look", input: { at: "it" } }]);
    });

    test("asks once for a model that is not there", async () => {
      const { origin, fetch } = wayOf();
      const absent = createOpenAICompatible({ name: "near", baseURL: `${origin}/v1`, fetch })("nope");
      await expect(generateText({ model: absent, prompt: "hi" })).rejects.toMatchObject({
        statusCode: 404,
        message: expect.stringMatching(/no node has the model "nope".*llama3/),
      });
      expect(server.requests).toHaveLength(0);
    });
  });

  describe("ollama", () => {
    function client(): Ollama {
      const { origin, fetch } = wayOf();
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

    test("aborts a stream, which ends at the server", async () => {
      const stream = await client().chat({ model: "llama3", messages: waiting, stream: true });
      const reading = (async () => {
        for await (const _ of stream) stream.abort();
      })();
      await expect(reading).rejects.toThrow(/abort/i);
      await (await server.request(1)).gone;
    });

    test("sends tools and images of 10 MB", async () => {
      const tools = [{ type: "function", function: look }];
      const question = { role: "user", content: "hi", images: [image] };
      const { message } = await client().chat({ model: "llama3", tools, messages: [question] });
      expect(seen()).toMatchObject({ tools, messages: [{ images: [image] }] });
      expect(message.tool_calls).toMatchObject([{ function: { name: "look" } }]);
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
    function chat(model = "llama3"): ChatOllama {
      const { origin, fetch } = wayOf();
      return new ChatOllama({ model, baseUrl: origin, fetch });
    }

    test("completes", async () => {
      expect((await chat().invoke("hi")).content).toBe("one two three");
    });

    test("streams", async () => {
      let text = "";
      for await (const { content } of await chat().stream("hi")) text += content;
      expect(text).toBe("one two three");
    });

    test("aborts a stream, which ends at the server", async () => {
      const ending = new AbortController();
      const { origin, fetch } = wayOf();
      // It stops reading by itself, and leaves the request open: its signal goes to `fetch` too.
      const abortable: typeof fetch = (input, { signal, ...init } = {}) =>
        fetch(input, { ...init, signal: AbortSignal.any([ending.signal, ...(signal ? [signal] : [])]) });
      const model = new ChatOllama({ model: "llama3", baseUrl: origin, fetch: abortable });
      const reading = (async () => {
        for await (const _ of await model.stream("wait", { signal: ending.signal })) ending.abort();
      })();
      await expect(reading).rejects.toThrow(/abort/i);
      await (await server.request(1)).gone;
    });

    test("sends tools and images of 10 MB", async () => {
      const question = { type: "image_url", image_url: imageUrl };
      const bound = chat().bindTools([{ type: "function", function: look }]);
      const { tool_calls } = await bound.invoke([{ role: "user", content: [question] }]);
      expect(seen()).toMatchObject({ tools: [{ function: look }], messages: [{ images: [image] }] });
      expect(tool_calls).toMatchObject([{ name: "look", args: { at: "it" } }]);
    });

    test("asks once for a model that is not there", async () => {
      await expect(chat("nope").invoke("hi")).rejects.toThrow(/no node has the model "nope".*llama3/);
      expect(server.requests).toHaveLength(0);
    });
  });

  test("each is told that nobody is there", async () => {
    await near.lose("box", "goodbye");
    const { origin, fetch } = wayOf();
    const openai = new OpenAI({ baseURL: `${origin}/v1`, fetch, apiKey: "-", maxRetries: 0 });
    const model = createOpenAICompatible({ name: "near", baseURL: `${origin}/v1`, fetch })("llama3");
    const ollama = new Ollama({ host: origin, fetch });
    const chat = new ChatOllama({ model: "llama3", baseUrl: origin, fetch, maxRetries: 0 });
    const asks = [
      () => openai.chat.completions.create({ model: "llama3", messages }),
      () => generateText({ model, prompt: "hi", maxRetries: 0 }),
      () => ollama.chat({ model: "llama3", messages }),
      () => chat.invoke("hi"),
    ];
    for (const ask of asks) {
      const story = await ask().then(() => "answered", messagesOf);
      expect(story).toMatch(/no (?:suitable )?LLM server (?:is known|was found)/);
    }
  });
});

/** Messages of an error and its causes: some clients wrap what `fetch` rejects with. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}: ${messagesOf(error.cause)}` : "";
}
