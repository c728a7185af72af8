import { VirtualClock } from "@lmserv/discovery-testkit";
import { certificate } from "@lmserv/test-near";
import { describe, expect, it } from "vitest";
import { checkHealth, describeServer, type HealthQuestion, healthAsker } from "../src/index.ts";
import { json, notFound, openaiList, type Recording, text } from "./fixtures/recording.ts";
import { recordings } from "./fixtures/recordings.ts";
import { stateCases } from "./fixtures/states.ts";
import {
  answerAs,
  host,
  type Loopback,
  leisurelyClock,
  replay,
  serveHttp,
  serveHttps,
  serveTcp,
} from "./loopback.ts";

const { signal } = new AbortController();

/** Allowed questions, none of which loads a model or generates. */
const free = new Set([
  ...["/.well-known/lmserv.json", "/", "/health", "/openapi.json", "/version", "/info", "/metrics", "/props"],
  ...["/slots", "/system", "/v1/models", "/v1/internal/model/info", "/health/readiness", "/get_server_info"],
  ...["/api/version", "/api/tags", "/api/ps", "/api/v0/models", "/api/v1/health", "/lmstudio-greeting"],
  ...["/api/extra/version", "/api/extra/perf", "/api/extra/true_max_context_length"],
  ...["/engines/v1/models", "/engines/ps"],
]);

function profile({ port }: Pick<Loopback, "port">) {
  return describeServer({ host, port, clock: leisurelyClock, signal });
}

function check({ port }: Pick<Loopback, "port">, server: string | null) {
  return checkHealth({ host, port, server, clock: leisurelyClock, signal });
}

async function ask(recording: Recording, question: Partial<HealthQuestion> = {}) {
  const server = await replay(recording);
  const whole: HealthQuestion = {
    ...{ host, port: server.port, scheme: "http", server: null, path: null, lists: true },
    ...question,
  };
  const outcome = await healthAsker(leisurelyClock)(whole, signal);
  return { outcome, asked: server.requests.map(({ url }) => url) };
}

function named(title: string): Recording {
  const recording = recordings.find((one) => one.title === title);
  if (!recording) throw new RangeError(title);
  return recording;
}

describe.each(stateCases)("$title", ({ recording, server, state, models, loaded }) => {
  it("is described by ten questions at most", async () => {
    const there = await replay(recording);
    expect(await profile(there)).toMatchObject({
      kind: "server",
      identification: { server, port: there.port, scheme: "http" },
      models,
      loaded,
      condition: { state },
    });
    expect(there.requests.length).toBeLessThanOrEqual(10);
    expect(there.requests.every(({ method, url = "" }) => method === "GET" && free.has(url))).toBe(true);
  });

  it(`is ${state}, which one question tells, or two`, async () => {
    const there = await replay(recording);
    const outcome = await check(there, server);
    expect(outcome).toMatchObject({ kind: "answer", state, lists: null });
    expect(there.requests.length).toBeLessThanOrEqual(2);
  });
});

describe("a description", () => {
  it("comes over TLS as well", async () => {
    const there = await serveHttps(answerAs(named("Ollama 0.12")));
    expect(await profile(there)).toMatchObject({
      identification: { server: "ollama", scheme: "https" },
      condition: { state: "healthy" },
    });
  });

  it("is none of what is no LLM server", async () => {
    const there = await serveHttp((_, response) => response.writeHead(404).end());
    expect(await profile(there)).toEqual({ kind: "other", is: "http" });
    const closing = await serveTcp((socket) => void socket.destroy());
    expect(await profile(closing)).toEqual({ kind: "silent", why: "closed" });
  });

  it("holds what was said before a server fell silent", async () => {
    const clock = new VirtualClock();
    const answers = answerAs(named("Ollama 0.12"));
    const there = await serveHttp((request, response) => {
      if (request.url !== "/api/ps") answers(request, response);
    });
    const described = describeServer({ host, port: there.port, clock, signal });
    await expect.poll(() => there.requests.at(-1)?.url).toBe("/api/ps");
    await clock.advance(4_000);
    expect(await described).toMatchObject({
      identification: { server: "ollama", models: ["llama3.2:latest", "me/mine:8b"] },
      models: [{ name: "llama3.2:latest" }, { name: "me/mine:8b" }],
      condition: null,
    });
    expect(clock.pending).toBe(0);
  });

  it("holds 1,024 models of 10,000, and no name of 4 kB", async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => ({ name: `model-${n}`, size: n }));
    const answers = {
      ...named("Ollama 0.12").answers,
      "/v1/models": openaiList({ id: "x".repeat(4_000), object: "model" }),
      "/api/tags": json({ models: [{ name: "y".repeat(4_000), size: 1 }, ...many] }),
      "/api/ps": json({ models: many }),
    };
    const there = await replay({ ...named("Ollama 0.12"), answers });
    const found = await profile(there);
    expect(found).toMatchObject({ kind: "server", models: { length: 1_024 }, loaded: { length: 1_024 } });
  });

  it.each([
    ["a negative one", -1],
    ["half a one", 0.5],
    ["one in text", "7"],
    ["one beyond what can be counted", 1e300],
    ["a list", [1]],
    ["nothing", null],
  ])("leaves out a size that is none: %s", async (_, size) => {
    const tags = json({ models: [{ name: "a,\u{1b}[31m'\"b", size, digest: size, context_length: size }] });
    const answers = { "/": text("Ollama is running"), "/api/tags": tags, "/api/ps": tags };
    const there = await replay({ ...named("Ollama 0.12"), answers });
    const digest = size === "7" ? { digest: "7" } : {};
    expect(await profile(there)).toMatchObject({ loaded: ["a,\u{fffd}[31m'\"b"] });
    expect(await profile(there)).toHaveProperty("models", [{ name: "a,\u{fffd}[31m'\"b", ...digest }]);
  });

  it.each(["__proto__", "constructor", "toString"])("is one of nobody known where it is %s", async (kind) => {
    const document = { schemaVersion: 1, servers: [{ server: kind, models: ["a"] }] };
    const answers = { "/.well-known/lmserv.json": json(document), "/v1/models": openaiList() };
    const there = await replay({ title: "", answers, otherwise: notFound, expected: null, questions: 0 });
    expect(await profile(there)).toMatchObject({
      identification: { server: kind, document: true },
      models: [{ name: "a" }],
      condition: { state: "healthy" },
    });
  });
});

describe("a check", () => {
  it.each([
    ["429", 429, {}, "busy"],
    ["503 for a while", 503, { "retry-after": "5" }, "busy"],
    ["403", 403, {}, "auth"],
    ["404", 404, {}, "healthy"],
  ])("takes %s for what it is", async (_, status, headers, state) => {
    const there = await serveHttp((_, response) => response.writeHead(status, headers).end());
    expect(await check(there, null)).toMatchObject({ kind: "answer", state });
  });

  it.each([500, 502, 503])("takes %i for a failure", async (status) => {
    const there = await serveHttp((_, response) => response.writeHead(status).end());
    expect(await check(there, "vllm")).toEqual({ kind: "silence", why: "failing" });
  });

  it("tells why nobody answers", async () => {
    const there = await serveHttp((_, response) => response.end());
    await there.close();
    expect(await check(there, "ollama")).toEqual({ kind: "silence", why: "refused" });
    const ssh = await serveTcp((socket) => void socket.write("SSH-2.0-OpenSSH_9.2p1\r\n"));
    expect(await check(ssh, "ollama")).toEqual({ kind: "silence", why: "foreign" });
  });

  it("tells of TLS where plain HTTP was announced", async () => {
    const alert = Buffer.from([21, 3, 3, 0, 2, 2, 70]);
    const there = await serveTcp((socket) => void socket.once("data", () => socket.end(alert)));
    expect(await check(there, "ollama")).toEqual({ kind: "silence", why: "encrypted" });
  });

  it("gives a server 4 s, and lets go of it", async () => {
    const clock = new VirtualClock();
    const there = await serveHttp(() => {});
    const checking = checkHealth({ host, port: there.port, server: "lmserv", clock, signal });
    await expect.poll(() => there.requests.length).toBe(1);
    await clock.advance(4_000);
    expect(await checking).toEqual({ kind: "silence", why: "no-answer" });
    expect(clock.pending).toBe(0);
    await expect.poll(there.open).toBe(0);
  });

  it("measures the time of the first answer", async () => {
    const clock = new VirtualClock();
    const there = await serveHttp((_, response) => {
      clock.advance(70).then(() => response.writeHead(404).end());
    });
    const outcome = await checkHealth({ host, port: there.port, server: null, clock, signal });
    expect(outcome).toMatchObject({ latencyMs: 70 });
  });

  it("rejects with the reason of an abort", async () => {
    const ending = new AbortController();
    const there = await serveHttp(() => ending.abort(reason));
    const reason = new Error("enough");
    const options = { host, port: there.port, server: null, clock: leisurelyClock, signal: ending.signal };
    await expect(checkHealth(options)).rejects.toBe(reason);
    await expect.poll(there.open).toBe(0);
  });
});

describe("a key", () => {
  const question: Omit<HealthQuestion, "port"> = {
    ...{ host, scheme: "http", server: "ollama", path: null, lists: true, key: "secret" },
  };
  const recording = answerAs(named("Ollama 0.12"));

  it("is sent with each question, and none is sent without one", async () => {
    const there = await serveHttp(recording);
    const ask = healthAsker(leisurelyClock);
    await ask({ ...question, port: there.port }, signal);
    expect(new Set(there.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(["Bearer secret"]),
    );
    const before = there.requests.length;
    await ask({ ...question, port: there.port, key: null }, signal);
    expect(there.requests.slice(before).every(({ headers }) => !("authorization" in headers))).toBe(true);
  });

  it("is sent over TLS only where the certificate is vouched for", async () => {
    const there = await serveHttps(recording);
    const secure = { ...question, scheme: "https", port: there.port } as const;
    expect(await healthAsker(leisurelyClock)(secure, signal)).toEqual({ kind: "silence", why: "untrusted" });
    expect(there.requests).toHaveLength(0);
    const { ca } = certificate;
    expect(await healthAsker(leisurelyClock)({ ...secure, ca }, signal)).toMatchObject({ state: "healthy" });
    expect(await healthAsker(leisurelyClock)({ ...secure, key: null }, signal)).toMatchObject({
      state: "healthy",
    });
  });
});

describe("the lists of a check", () => {
  it("describe the server, and what was announced of it", async () => {
    const { outcome, asked } = await ask(named("llama.cpp b6700"), { server: "lmserv", path: "/chat" });
    expect(outcome).toMatchObject({
      kind: "answer",
      lists: {
        description: { server: "llama.cpp", path: "/v1/chat/completions", apis: ["openai"], auth: "none" },
        isPathMissing: true,
      },
    });
    expect(asked).toContain("/chat");
  });

  it.each([
    ["Ollama 0.12", "/api/chat"],
    ["Ollama 0.12", "/v1/chat/completions"],
    ["llama.cpp b6700", "/v1/chat/completions"],
  ])("do not miss what answers only to a POST: %s at %s", async (title, path) => {
    const { outcome, asked } = await ask(named(title), { path });
    expect(outcome).toMatchObject({ lists: { isPathMissing: false } });
    expect(asked).not.toContain(path);
  });

  it.each(["/upstream/big-model/props", "/cgi-bin/reboot", "//evil.example/"])(
    "are no reason to ask for a path that anybody may announce: %s",
    async (path) => {
      const { outcome, asked } = await ask(named("llama.cpp b6700"), { path });
      expect(outcome).toMatchObject({ lists: { isPathMissing: false } });
      expect(asked).not.toContain(path);
    },
  );

  it("tell the kind that nobody announced, and how it is as such", async () => {
    const { outcome } = await ask(named("llama.cpp with a key"));
    expect(outcome).toMatchObject({ state: "auth", lists: { description: { server: "llama.cpp" } } });
  });

  it("are empty where no LLM server answers", async () => {
    const recording = { title: "", answers: {}, otherwise: notFound, expected: null, questions: 0 };
    const { outcome } = await ask(recording, { path: "/chat" });
    expect(outcome).toMatchObject({
      state: "healthy",
      lists: { models: [], loaded: [], description: null, isPathMissing: false },
    });
  });

  it("tell the version", async () => {
    const { outcome } = await ask(named("Ollama 0.12"), { server: "ollama" });
    expect(outcome).toMatchObject({ lists: { version: "0.12.3" } });
  });

  it("are of the server on the very port", async () => {
    const document = json({ schemaVersion: 1, servers: [{ server: "vllm", port: 1, models: ["a"] }] });
    const recording = { title: "", otherwise: notFound, expected: null, questions: 0 };
    const { outcome } = await ask({ ...recording, answers: { "/.well-known/lmserv.json": document } });
    expect(outcome).toMatchObject({ lists: { models: [], description: null } });
  });
});

it("says at once what it cannot work with", async () => {
  const options = { clock: leisurelyClock, signal };
  await expect(describeServer({ ...options, host: "localhost", port: 1 })).rejects.toThrow("localhost");
  await expect(checkHealth({ ...options, host, port: 0, server: null })).rejects.toThrow("port 0");
});

describe("a certificate", () => {
  const question = { scheme: "https", server: "ollama", path: null, lists: true } as const;
  const recording = answerAs(named("Ollama 0.12"));
  const asker = healthAsker(leisurelyClock, { verifies: true });
  const { ca } = certificate;

  it.each([
    ["that nobody vouches for", host, null, { why: "untrusted" }],
    ["that is vouched for", host, ca, { state: "healthy" }],
    ["of another host", "127.0.0.2", ca, { why: "misnamed" }],
  ])("%s decides, where whoever asks is to verify it", async (_, address, authorities, outcome) => {
    const there = await serveHttps(recording, address);
    const asked = { ...question, host: address, port: there.port, ca: authorities };
    expect(await asker(asked, signal)).toMatchObject(outcome);
    if ("why" in outcome) expect(there.requests).toHaveLength(0);
  });
});
