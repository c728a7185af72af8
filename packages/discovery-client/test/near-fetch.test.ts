import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { json, type ModelServer, type SeenRequest, say, sayWord, steady } from "@lmserv/test-near";
import { describe, expect, test } from "vitest";
import { type NearFetch, nearFetch } from "../src/index.ts";
import { ask, site } from "./site.ts";

const lan = site();

/** Two nodes, in the order in which they are asked. */
async function twoNodes(first: ModelServer, second: ModelServer): Promise<NearFetch> {
  await lan.near.list({ id: "first", port: first.port }, { id: "second", port: second.port });
  return nearFetch(lan.near.discovery, { prefer: ["first"] });
}

/** A port of this machine at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("a request", () => {
  test("goes to a node as it is, and says which", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "box", port: server.port });
    const response = await ask(nearFetch(lan.near.discovery));
    expect(response.status).toBe(200);
    expect(response.headers.get("x-lmserv-node")).toBe("box");
    expect(response.headers.get("x-lmserv-attempts")).toBe("1");
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
    const [seen] = server.requests;
    expect(seen?.url).toBe("/v1/chat/completions?x=1");
    expect(seen?.headers.host).toBe(`127.0.0.1:${server.port}`);
  });

  test("to another host goes there", async () => {
    const server = await lan.serve(({ response }) => response.end("elsewhere"));
    const response = await nearFetch(lan.near.discovery).fetch(`http://127.0.0.1:${server.port}/v1/models`);
    expect(await response.text()).toBe("elsewhere");
  });

  test("waits for a first node", async () => {
    const server = await lan.serve();
    const answer = ask(nearFetch(lan.near.discovery, { waitMs: 240_000 }));
    await lan.near.list({ id: "box", port: server.port });
    expect((await answer).status).toBe(200);
  });

  test("without a node in time says what to do", async () => {
    const error = await ask(nearFetch(lan.near.discovery, { waitMs: 0 })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NO_NODE", message: expect.stringContaining("lmserv announce") });
  });

  test("of an unknown path or model is refused in the dialect of the path", async () => {
    await lan.near.list({ id: "box", port: 1, models: ["llama3", "phi"], apis: ["openai", "ollama"] });
    const { fetch } = nearFetch(lan.near.discovery, { waitMs: 0 });
    const body = JSON.stringify({ model: "nope" });
    const openai = await fetch("http://lmserv.invalid/v1/chat/completions", { method: "POST", body });
    expect(openai.status).toBe(404);
    expect(openai.headers.get("x-should-retry")).toBe("false");
    expect(await openai.json()).toMatchObject({
      error: { code: "model_not_found", message: expect.stringContaining("llama3; phi") },
    });
    const ollama = await fetch("http://lmserv.invalid/api/chat", { method: "POST", body });
    expect(await ollama.json()).toEqual({ error: expect.stringContaining("nope") });
    const messages = await fetch("http://lmserv.invalid/v1/messages", { method: "POST", body });
    expect(await messages.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    expect((await fetch("http://lmserv.invalid/other")).status).toBe(404);
  });

  test("for models is answered by what is known, without a question", async () => {
    await lan.near.list({ id: "box", port: 1 }, { id: "other", port: 2, models: ["phi"] });
    const { fetch } = nearFetch(lan.near.discovery, { aliases: { small: ["phi"] } });
    const list = await (await fetch("http://lmserv.invalid/v1/models")).json();
    expect(list).toMatchObject({ object: "list", data: [{ id: "llama3" }, { id: "phi" }, { id: "small" }] });
    expect(await (await fetch("http://lmserv.invalid/v1/models/phi")).json()).toMatchObject({ id: "phi" });
  });

  test("by an alias names the model as the node does, and changes nothing else", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "box", port: server.port, models: ["meta-llama/Llama-3"] });
    const { fetch } = nearFetch(lan.near.discovery, { aliases: { llama: ["other", "meta-llama/Llama-3"] } });
    const body = '{ "seed": 9007199254740993, "model" : "llama", "messages": [] }';
    await fetch("http://lmserv.invalid/v1/chat/completions", { method: "POST", body });
    expect(server.requests[0]?.body.toString()).toBe(body.replace('"llama"', '"meta-llama/Llama-3"'));
  });

  test("of LMServ's and of OpenAI's API goes where the node has it", async () => {
    const ok = ({ response }: SeenRequest): unknown => response.end("ok");
    const [docker, lmserv] = [await lan.serve(ok), await lan.serve(ok)];
    await lan.near.list(
      {
        id: "docker",
        port: docker.port,
        path: "/engines/v1/chat/completions",
        server: "docker-model-runner",
      },
      { id: "lmserv", port: lmserv.port, apis: ["lmserv"], path: "/talk" },
    );
    const { fetch } = nearFetch(lan.near.discovery);
    await fetch("http://lmserv.invalid/chat?a=b", { method: "POST", body: "hi" });
    expect(lmserv.requests[0]?.url).toBe("/talk?a=b");
    await ask(nearFetch(lan.near.discovery));
    expect(docker.requests[0]?.url).toBe("/engines/v1/chat/completions?x=1");
  });
});

describe("another node is asked", () => {
  const answers: Readonly<Record<string, (request: SeenRequest) => unknown>> = {
    "a reset": ({ response }) => response.socket?.resetAndDestroy(),
    "an end without an answer": ({ response }) => response.socket?.destroy(),
    "an end before the body": ({ response }) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      response.socket?.destroy();
    },
    "429": ({ response }) => json(response, 429, {}),
    "502": ({ response }) => json(response, 502, {}),
    "503": ({ response }) => json(response, 503, {}),
    "503 that breaks off": ({ response }) => {
      response.writeHead(503, { "content-length": 1_000 }).write("busy");
      response.socket?.destroySoon();
    },
    "504": ({ response }) => json(response, 504, {}),
    "404 without the model": ({ response }) => json(response, 404, { error: "model 'llama3' not found" }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    test(`after ${what}`, async () => {
      const [first, second] = [await lan.serve(answer), await lan.serve()];
      const response = await ask(await twoNodes(first, second), { stream: true });
      expect(response.headers.get("x-lmserv-node")).toBe("second");
      expect(response.headers.get("x-lmserv-attempts")).toBe("2");
      expect(await response.text()).toContain("[DONE]");
      expect(second.requests[0]?.body).toEqual(first.requests[0]?.body);
      expect(first.requests).toHaveLength(1);
    });
  }

  test("after a refused connection", async () => {
    const second = await lan.serve();
    await lan.near.list({ id: "first", port: await closedPort() }, { id: "second", port: second.port });
    const fetching = nearFetch(lan.near.discovery, { prefer: ["first"] });
    expect((await ask(fetching)).headers.get("x-lmserv-attempts")).toBe("2");
    // The failed one goes last for a while.
    expect((await ask(fetching)).headers.get("x-lmserv-attempts")).toBe("1");
  });

  test.each(["unreachable", "silent"] as const)("when the first falls %s before it answers", async (how) => {
    const [first, second] = [await lan.serve(() => {}), await lan.serve()];
    const response = ask(await twoNodes(first, second));
    const seen = await first.request(1);
    if (how === "silent") await lan.near.check("first", "silent");
    else await lan.near.lose("first", "unreachable");
    expect((await response).headers.get("x-lmserv-node")).toBe("second");
    await seen.gone;
  });

  test("not while the first says goodbye and goes on", async () => {
    const [first, second] = [await lan.serve(() => {}), await lan.serve()];
    const response = ask(await twoNodes(first, second));
    const seen = await first.request(1);
    await lan.near.lose("first", "goodbye");
    say(seen, "still here");
    expect((await response).headers.get("x-lmserv-node")).toBe("first");
    expect(second.requests).toHaveLength(0);
  });

  test.each([400, 401, 404, 422, 500])("not after %i", async (status) => {
    const [first, second] = [
      await lan.serve(({ response }) => json(response, status, { detail: "no" })),
      await lan.serve(),
    ];
    const response = await ask(await twoNodes(first, second));
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ detail: "no" });
    expect(second.requests).toHaveLength(0);
  });

  test("not for a stream, which is there once", async () => {
    const [first, second] = [
      await lan.serve(({ response }) => json(response, 503, { error: "busy" })),
      await lan.serve(),
    ];
    const { fetch } = await twoNodes(first, second);
    const form = new FormData();
    form.append("model", "llama3");
    const response = await fetch("http://lmserv.invalid/v1/audio/transcriptions", {
      method: "POST",
      body: form,
    });
    expect(response.status).toBe(503);
    expect(first.requests[0]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(second.requests).toHaveLength(0);
  });

  test("until all have refused: then the last refusal is the answer", async () => {
    const busy = ({ response }: SeenRequest): unknown =>
      response.writeHead(429, { "retry-after": "7" }).end('{"error":"full"}');
    const [first, second] = [await lan.serve(busy), await lan.serve(busy)];
    const response = await ask(await twoNodes(first, second));
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("7");
    expect(await response.text()).toBe('{"error":"full"}');
  });

  test("until none is left: then each cause is told", async () => {
    await lan.near.list(
      { id: "first", port: await closedPort() },
      { id: "second", port: await closedPort() },
    );
    const response = await ask(nearFetch(lan.near.discovery, { prefer: ["first"] }));
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({
      error: {
        code: "no_node_answered",
        message: expect.stringMatching(/first: it refuses.*second: it refuses/s),
      },
    });
  });

  test("with the body of a Request too", async () => {
    const [first, second] = [await lan.serve(({ response }) => json(response, 503, {})), await lan.serve()];
    const { fetch } = await twoNodes(first, second);
    const body = JSON.stringify({ model: "llama3", messages: [] });
    const response = await fetch(
      new Request("http://lmserv.invalid/v1/chat/completions", { method: "POST", body }),
    );
    expect(response.status).toBe(200);
    expect(second.requests[0]?.body.toString()).toBe(body);
  });
});

describe("a connection that the server ended while it was idle", () => {
  test("is replaced by a fresh one", async () => {
    let isFirst = true;
    const server = await lan.serve((request) => {
      if (isFirst) {
        isFirst = false;
        say(request, "once");
      } else if (request.response.socket === used) request.response.socket?.resetAndDestroy();
      else say(request, "twice");
    });
    await lan.near.list({ id: "box", port: server.port });
    const fetching = nearFetch(lan.near.discovery);
    await (await ask(fetching)).text();
    const used = server.requests[0]?.response.socket;
    const response = await ask(fetching);
    expect(response.headers.get("x-lmserv-attempts")).toBe("1");
    expect(await response.text()).toContain("twice");
  });
});

describe("a stream", () => {
  async function streaming(): Promise<{
    server: ModelServer;
    response: Response;
    seen: SeenRequest;
    ending: AbortController;
  }> {
    const server = await lan.serve((request) => {
      request.response.writeHead(200, { "content-type": "text/event-stream" });
      sayWord(request, "one ");
    });
    await lan.near.list({ id: "box", port: server.port });
    const ending = new AbortController();
    const response = await ask(nearFetch(lan.near.discovery), { stream: true }, { signal: ending.signal });
    return { server, response, seen: await server.request(1), ending };
  }

  test("comes word by word", async () => {
    const { response, seen } = await streaming();
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toContain("one ");
    const next = reader?.read();
    sayWord(seen, "two ");
    expect(Buffer.from((await next)?.value ?? []).toString()).toContain("two ");
    seen.response.end();
    expect((await reader?.read())?.done).toBe(true);
  });

  test("that is cancelled ends at the node", async () => {
    const { response, seen } = await streaming();
    await response.body?.cancel();
    await seen.gone;
  });

  test("that is aborted ends at the node, and rejects with the reason", async () => {
    const { response, seen, ending } = await streaming();
    const reason = new Error("enough");
    ending.abort(reason);
    await expect(response.text()).rejects.toBe(reason);
    await seen.gone;
  });

  test("that breaks off is never taken for complete", async () => {
    const { response, seen } = await streaming();
    seen.response.socket?.destroy();
    await expect(response.text()).rejects.toThrow();
  });

  test("holds the node back while nobody reads", async () => {
    const { response, seen } = await streaming();
    const chunk = Buffer.alloc(1_048_576);
    let sent = 0;
    const send = (): void =>
      void (
        sent < 256 &&
        seen.response.write(chunk, () => {
          sent += 1;
          send();
        })
      );
    send();
    expect(await steady(() => sent)).toBeLessThan(64);
    await response.body?.cancel();
  });
});

describe("places at a node", () => {
  test("are given back after answers of every kind", async () => {
    const kinds = ["whole", "empty", "cancelled", "broken", "refused"];
    const server = await lan.serve((request) => {
      const kind = kinds[server.requests.length - 1];
      const { response } = request;
      if (kind === "empty") return response.writeHead(204).end();
      if (kind === "refused") return json(response, 503, {});
      if (kind === "whole") return say(request, "hello");
      response.writeHead(200, { "content-type": "text/event-stream" });
      sayWord(request, "one ");
      if (kind === "broken") response.socket?.destroySoon();
    });
    await lan.near.list({ id: "box", port: server.port });
    const fetching = nearFetch(lan.near.discovery);
    for (const kind of kinds) {
      const response = await ask(fetching, { stream: true });
      if (kind === "cancelled") await response.body?.cancel();
      else await response.text().catch(() => {});
    }
    const places = (): string => fetching.explain({ model: "llama3" }).candidates[0]?.why ?? "";
    await expect.poll(places).not.toContain("of ours under way");
  });
});

describe("an abort before the answer", () => {
  test("ends the request at the node and asks no other", async () => {
    const [first, second] = [await lan.serve(() => {}), await lan.serve()];
    const ending = new AbortController();
    const response = ask(await twoNodes(first, second), {}, { signal: ending.signal });
    const seen = await first.request(1);
    const reason = new Error("enough");
    ending.abort(reason);
    await expect(response).rejects.toBe(reason);
    await seen.gone;
    expect(second.requests).toHaveLength(0);
  });
});
