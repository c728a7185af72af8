import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import {
  type DocumentedServer,
  documentHandler,
  documentPath,
  type Fingerprint,
  fingerprint,
  serversOf,
  type WellKnownDocument,
} from "../src/index.ts";
import { host, type Loopback, leisurelyClock, serveHttp } from "./loopback.ts";

const { signal } = new AbortController();
const other: Fingerprint = { kind: "other", is: "http" };

const full = {
  id: "e22d50f08f0b9798fca25c1f8018d44c",
  info: "gpu-box-01",
  port: 8000,
  scheme: "http",
  path: "/chat",
  server: "lmserv",
  version: "1.0.0",
  apis: ["lmserv"],
  models: ["llama-3.3-70b", "qwen3-32b"],
  modelsCut: false,
  auth: "required",
} as const satisfies DocumentedServer;

function about(server: unknown): unknown {
  return { schemaVersion: 1, servers: [server] };
}

const openaiModels = { object: "list", data: [{ id: "gpt", object: "model" }] };

/** Serves a text as the document, and nothing else. */
function publish(body: string, type = "application/json"): Promise<Loopback> {
  return serveHttp(({ url }, response) => {
    if (url === documentPath) response.writeHead(200, { "content-type": type }).end(body);
    else response.writeHead(404).end();
  });
}

function ask({ port }: Loopback): Promise<Fingerprint> {
  return fingerprint({ host, port, clock: leisurelyClock, signal });
}

/** First server of a document, or null. */
async function identified(document: unknown): Promise<unknown> {
  const [server = null] = serversOf(await ask(await publish(JSON.stringify(document))));
  return server;
}

const malformed: readonly (readonly [string, unknown])[] = [
  ["an id like an address", { ...full, id: "10.0.0.1:8000" }],
  ["an endless id", { ...full, id: "x".repeat(129) }],
  ["an id with a line break", { ...full, id: "a\nb" }],
  ["a number as id", { ...full, id: 7 }],
  ["port 0", { ...full, port: 0 }],
  ["port 65536", { ...full, port: 65_536 }],
  ["half a port", { ...full, port: 8000.5 }],
  ["a port in text", { ...full, port: "8000" }],
  ["a path without a slash", { ...full, path: "chat" }],
  ["another host as path", { ...full, path: "//evil.example/chat" }],
  ["another host as path, with a backslash", { ...full, path: "/\\evil.example/chat" }],
  ["a URL as path", { ...full, path: "http://evil.example/" }],
  ["an endless path", { ...full, path: `/${"x".repeat(250)}` }],
  ["a path with a line break", { ...full, path: "/chat\r\nHost: evil.example" }],
  ["a list as info", { ...full, info: ["gpu"] }],
  ["a made-up scheme", { ...full, scheme: "gopher" }],
  ["a made-up auth", { ...full, auth: "maybe" }],
  ["nothing", null],
  ["a list in it", [full]],
  ["text", "server"],
];

describe("a document", () => {
  it("is believed, after one question", async () => {
    const server = await publish(JSON.stringify(about(full)));
    expect(await ask(server)).toEqual({
      kind: "document",
      role: null,
      others: [{ ...full, document: true }],
    });
    expect(server.requests.length).toBe(1);
  });

  it("speaks for the port that serves it where it names none", async () => {
    const server = await publish('{"schemaVersion":1,"servers":[{}]}');
    expect(await ask(server)).toEqual({
      kind: "server",
      identification: {
        port: server.port,
        scheme: "http",
        id: null,
        info: "",
        server: null,
        version: null,
        path: null,
        apis: [],
        models: [],
        modelsCut: false,
        auth: null,
        document: true,
      },
      others: [],
    });
  });

  it("lists every server of its machine, each with its own identity", async () => {
    const ids = ["", ".11434", ".8080"].map((port) => `${full.id}${port}`);
    const servers = [
      { id: ids[0] },
      { id: ids[1], port: 11_434 },
      { id: ids[2], port: 8_080, scheme: "https" },
    ];
    const result = await ask(await publish(JSON.stringify({ schemaVersion: 1, servers })));
    expect(result).toMatchObject({
      kind: "server",
      identification: { id: ids[0], scheme: "http" },
      others: [
        { id: ids[1], port: 11_434, scheme: "http" },
        { id: ids[2], port: 8_080, scheme: "https" },
      ],
    });
    expect(serversOf(result)).toHaveLength(3);
  });

  it.each([
    ["gateway", "gateway"],
    ["share", "share"],
    ["a role of later times", "a role of later times"],
    [7, "unknown"],
    ["", "unknown"],
  ])("with the role %j is no server's, whatever it lists for its own port", async (role, read) => {
    const server = await serveHttp(({ url }, response) => {
      const servers = [{}, { port: server.port, id: "other" }, full];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(url === documentPath ? { schemaVersion: 1, role, servers } : openaiModels));
    });
    expect(await ask(server)).toEqual({
      kind: "document",
      role: read,
      others: [{ ...full, document: true }],
    });
  });

  it("lists nothing that has a role, nor one port or one identity twice", async () => {
    const servers = [
      full,
      { ...full, id: "another" },
      { ...full, port: 8_001 },
      { port: 8_002, role: "gateway" },
      { port: 8_003, role: null },
    ];
    const found = serversOf(await ask(await publish(JSON.stringify({ schemaVersion: 1, servers }))));
    expect(found.map(({ id, port }) => [id, port])).toEqual([
      [full.id, 8_000],
      [null, 8_003],
    ]);
  });

  it("lists 32 servers at most", async () => {
    const servers = Array.from({ length: 1_000 }, (_, n) => ({ port: n + 1 }));
    const found = serversOf(await ask(await publish(JSON.stringify({ schemaVersion: 1, servers }))));
    expect(found.map(({ port }) => port)).toEqual(servers.slice(0, 32).map(({ port }) => port));
  });

  it("may be served with a byte order mark and as a kind of JSON", async () => {
    const server = await publish(
      `\u{feff}${JSON.stringify(about(full))}`,
      "application/vnd.lmserv+json; charset=utf-8",
    );
    expect(serversOf(await ask(server))).toMatchObject([{ id: full.id }]);
  });

  it("cannot lead to another host", async () => {
    const elsewhere = {
      host: "198.51.100.1",
      url: "http://198.51.100.1/",
      endpoints: ["http://169.254.169.254/latest/meta-data"],
      addresses: ["10.0.0.1"],
    };
    const document = { schemaVersion: 1, ...elsewhere, servers: [{ ...full, ...elsewhere }] };
    expect(await identified(document)).toEqual({ ...full, document: true });
  });

  it.each([
    ["no version", { servers: [full] }],
    ["another version", { schemaVersion: 2, servers: [full] }],
    ["a version in text", { schemaVersion: "1", servers: [full] }],
    ["no servers", { schemaVersion: 1, ...full }],
    ["servers that are no list", { schemaVersion: 1, servers: full }],
    ["nothing", null],
    ["a list", [about(full)]],
    ["text", "schemaVersion"],
  ])("is none with %s", async (_, document) => {
    expect(await ask(await publish(JSON.stringify(document)))).toEqual(other);
  });

  it.each(malformed)("loses a server with %s, and no other", async (_, server) => {
    const good = { id: "good", port: 9_000 };
    const servers = [server, good];
    const found = serversOf(await ask(await publish(JSON.stringify({ schemaVersion: 1, servers }))));
    expect(found).toMatchObject([good]);
  });

  it.each([
    ["broken off", '{"schemaVersion":1,'],
    ["two", '{"schemaVersion":1,"servers":[{}]}{"schemaVersion":1,"servers":[{}]}'],
    ["with a comment", '{"schemaVersion":1,"servers":[{}]} // mine'],
    ["empty", ""],
  ])("is none when it is %s", async (_, body) => {
    expect(await ask(await publish(body))).toEqual(other);
  });

  it.each(["text/html", "text/plain", "application/jsonp", "application/json; charset=utf-16"])(
    "is none as %s",
    async (type) => {
      expect(await ask(await publish(JSON.stringify(about(full)), type))).toEqual(other);
    },
  );

  it("counts with the servers that its first 64 KiB hold", async () => {
    const models = Array.from({ length: 10_000 }, (_, n) => `model-${n}`);
    const servers = [full, { port: 8_001 }, { port: 8_002, models }, { port: 8_003 }];
    const found = serversOf(await ask(await publish(JSON.stringify({ schemaVersion: 1, servers }))));
    expect(found.map(({ port }) => port)).toEqual([8_000, 8_001]);
  });

  it("is none where they end before the first", async () => {
    const models = Array.from({ length: 10_000 }, (_, n) => `model-${n}`);
    expect(await ask(await publish(JSON.stringify(about({ ...full, models }))))).toEqual(other);
  });

  it("says what it says last of what it says twice", async () => {
    const body = '{"schemaVersion":2,"servers":[],"schemaVersion":1,"servers":[{"info":"a","info":"b"}]}';
    expect(serversOf(await ask(await publish(body)))).toMatchObject([{ info: "b" }]);
  });

  it("has what would steer a terminal replaced", async () => {
    const info = "gpu\u{1b}[31m\u{202e}\u{2028}-box\u{0}\u{d800}";
    const server = { ...full, info, models: ["a\u{7}b", "\u{1b}"], server: "x\r\ny" };
    expect(await identified(about(server))).toMatchObject({
      info: "gpu\u{fffd}[31m\u{fffd}\u{fffd}-box\u{fffd}\u{fffd}",
      models: ["a\u{fffd}b", "\u{fffd}"],
      server: "x\u{fffd}\u{fffd}y",
    });
  });

  it("has its text cut to what the network carries, between characters", async () => {
    expect(await identified(about({ ...full, info: "\u{1f600}".repeat(100) }))).toMatchObject({
      info: "\u{1f600}".repeat(62),
    });
  });

  it("has its lists cut, and their odd entries left out", async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `model-${n}`);
    const odd = [null, 7, {}, "", "model-0", "x".repeat(257)];
    const server = { ...full, models: [...odd, ...many], apis: many };
    expect(await identified(about(server))).toMatchObject({
      models: many.slice(0, 256),
      modelsCut: true,
      apis: many.slice(0, 16),
    });
  });

  it.each(["__proto__", "constructor", "prototype"])("changes no object through %s", async (key) => {
    const evil = `"${key}":{"port":1,"info":"evil","polluted":true}`;
    const result = await ask(await publish(`{"schemaVersion":1,${evil},"servers":[{${evil}}]}`));
    expect(result).toMatchObject({ identification: { info: "" } });
    expect({}).not.toHaveProperty("polluted");
  });

  it("does not inherit its version, nor its servers", async () => {
    expect(await ask(await publish('{"__proto__":{"schemaVersion":1,"servers":[]}}'))).toEqual(other);
  });
});

describe("the published schema", () => {
  const url = new URL("../schema/document.schema.json", import.meta.url);
  const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
    JSON.parse(readFileSync(url, "utf8")),
  );

  it.each([
    about(full),
    about({}),
    about({ id: null, path: null, further: 1 }),
    { schemaVersion: 1, role: "gateway", servers: [] },
  ])("takes %j", (document) => {
    expect(isValid(document)).toBe(true);
  });

  it.each(malformed)("refuses a server with %s", (_, server) => {
    expect(isValid(about(server))).toBe(false);
  });

  it.each([
    { schemaVersion: 1 },
    { servers: [] },
    { schemaVersion: 2, servers: [] },
    about({ role: "gateway" }),
    { schemaVersion: 1, servers: Array(33).fill({}) },
  ])("refuses %j", (document) => {
    expect(isValid(document)).toBe(false);
  });
});

describe("documentHandler", () => {
  const whole: WellKnownDocument = { schemaVersion: 1, servers: [full] };
  const serve = (document: () => WellKnownDocument): Promise<Loopback> => {
    const handle = documentHandler(document);
    return serveHttp((request, response) => {
      if (!handle(request, response)) response.writeHead(418).end("not ours");
    });
  };
  const url = ({ port }: Loopback, path: string = documentPath): string => `http://${host}:${port}${path}`;

  it("serves what identify understands", async () => {
    const server = await serve(() => whole);
    expect(serversOf(await ask(server))).toMatchObject([{ id: full.id, port: 8000 }]);
    const response = await fetch(url(server));
    expect(await response.json()).toEqual(whole);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "max-age=60",
      "x-content-type-options": "nosniff",
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers HEAD with the same headers", async () => {
    const server = await serve(() => whole);
    const response = await fetch(url(server), { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe(String(JSON.stringify(whole).length));
    expect(await response.text()).toBe("");
  });

  it("follows changes", async () => {
    let models: readonly string[] = ["a"];
    const server = await serve(() => ({ schemaVersion: 1, servers: [{ models }] }));
    models = ["a", "b"];
    expect(await ask(server)).toMatchObject({ identification: { models: ["a", "b"] } });
  });

  it("says first what its port is", async () => {
    const response = await fetch(url(await serve(() => ({ ...whole, role: "gateway" }))));
    expect(await response.text()).toMatch(/^\{"schemaVersion":1,"role":"gateway",/);
  });

  it("serves no more than readers read, with every server", async () => {
    const models = Array.from({ length: 10_000 }, (_, n) => `model-${n}`);
    const servers = Array.from({ length: 40 }, (_, n) => ({ port: 8_000 + n, models }));
    const server = await serve(() => ({ schemaVersion: 1, servers }));
    const text = await (await fetch(url(server))).text();
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    const found = serversOf(await ask(server));
    expect(found.map(({ port }) => port)).toEqual(servers.slice(0, 32).map(({ port }) => port));
    expect(
      found.every(
        (one) =>
          one.models.length > 0 && one.modelsCut && one.models.at(-1) === models[one.models.length - 1],
      ),
    ).toBe(true);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("refuses %s", async (method) => {
    const response = await fetch(url(await serve(() => whole)), { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  it.each([
    "/",
    "/.well-known/",
    `${documentPath}/`,
    `${documentPath}x`,
    `/x${documentPath}`,
    "/?/.well-known/lmserv.json",
  ])("leaves %s to others", async (path) => {
    const response = await fetch(url(await serve(() => whole), path));
    expect([response.status, await response.text()]).toEqual([418, "not ours"]);
  });

  it("ignores a query", async () => {
    expect((await fetch(url(await serve(() => whole), `${documentPath}?x=1`))).status).toBe(200);
  });

  it("reflects nothing of the request", async () => {
    const response = await fetch(url(await serve(() => whole)), {
      headers: { origin: "http://evil.example" },
    });
    expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain("evil");
  });
});
