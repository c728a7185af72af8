import { describe, expect, it } from "vitest";
import { documentHandler, documentPath, look, type Verdict, type WellKnownDocument } from "../src/index.ts";
import { host, type Loopback, leisurelyClock, serveHttp } from "./loopback.ts";

const { signal } = new AbortController();
const other: Verdict = { kind: "other", is: "http" };

const full = {
  schemaVersion: 1,
  id: "e22d50f08f0b9798fca25c1f8018d44c",
  info: "gpu-box-01",
  port: 8000,
  scheme: "http",
  path: "/chat",
  server: "lmserv",
  version: "1.0.0",
  apis: ["lmserv"],
  models: ["llama-3.3-70b", "qwen3-32b"],
  auth: "required",
} as const satisfies WellKnownDocument;

/** Serves text as the document, and nothing else. */
function publish(body: string, type = "application/json"): Promise<Loopback> {
  return serveHttp(({ url }, response) => {
    if (url === documentPath) response.writeHead(200, { "content-type": type }).end(body);
    else response.writeHead(404).end();
  });
}

function ask({ port }: Loopback): Promise<Verdict> {
  return look({ host, port, clock: leisurelyClock, signal });
}

async function identified(document: unknown): Promise<unknown> {
  const verdict = await ask(await publish(JSON.stringify(document)));
  return verdict.kind === "server" ? verdict.identification : null;
}

describe("a document", () => {
  it("is believed, after one question", async () => {
    const server = await publish(JSON.stringify(full));
    const { schemaVersion, ...said } = full;
    expect(await ask(server)).toEqual({ kind: "server", identification: { ...said, document: true } });
    expect(server.requests.length).toBe(1);
  });

  it("may leave out everything but its version; then it speaks for the port that serves it", async () => {
    const server = await publish('{"schemaVersion":1}');
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
        auth: null,
        document: true,
      },
    });
  });

  it("may be served with a byte order mark and as a kind of JSON", async () => {
    const server = await publish(
      `\u{feff}${JSON.stringify(full)}`,
      "application/vnd.lmserv+json; charset=utf-8",
    );
    expect(await ask(server)).toMatchObject({ identification: { id: full.id } });
  });

  it("cannot lead to another host", async () => {
    const elsewhere = {
      host: "198.51.100.1",
      url: "http://198.51.100.1/",
      endpoints: ["http://169.254.169.254/latest/meta-data"],
      addresses: ["10.0.0.1"],
    };
    const { schemaVersion, ...said } = full;
    expect(await identified({ ...full, ...elsewhere })).toEqual({ ...said, document: true });
  });

  it.each([
    ["no version", { ...full, schemaVersion: undefined }],
    ["another version", { ...full, schemaVersion: 2 }],
    ["a version in text", { ...full, schemaVersion: "1" }],
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
    ["a list", [full]],
    ["text", "schemaVersion"],
  ])("is none with %s", async (_, document) => {
    expect(await identified(document)).toBeNull();
  });

  it.each([
    ["broken off", '{"schemaVersion":1,'],
    ["two", '{"schemaVersion":1}{"schemaVersion":1}'],
    ["with a comment", '{"schemaVersion":1} // mine'],
    ["empty", ""],
  ])("is none when it is %s", async (_, body) => {
    expect(await ask(await publish(body))).toEqual(other);
  });

  it.each(["text/html", "text/plain", "application/jsonp", "application/json; charset=utf-16"])(
    "is none as %s",
    async (type) => {
      expect(await ask(await publish(JSON.stringify(full), type))).toEqual(other);
    },
  );

  it("counts as far as its first 64 KiB go", async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `model-${n}`);
    const { schemaVersion, port, models, ...rest } = full;
    const first = { port, models: many.slice(0, 256) };
    const early = { schemaVersion, ...rest, port, models: many };
    expect(await identified(early)).toMatchObject({ ...rest, ...first });
    const late = { schemaVersion, port, models: many, id: full.id };
    expect(await identified(late)).toMatchObject({ ...first, id: null });
  });

  it("is none where its port may stand beyond them", async () => {
    const models = Array.from({ length: 10_000 }, (_, n) => `model-${n}`);
    expect(await identified({ ...full, port: undefined, models })).toBeNull();
  });

  it("says what it says last of what it says twice", async () => {
    const verdict = await ask(await publish('{"schemaVersion":2,"info":"a","schemaVersion":1,"info":"b"}'));
    expect(verdict).toMatchObject({ identification: { info: "b" } });
  });

  it("has what would steer a terminal taken out", async () => {
    const info = "gpu\u{1b}[31m\u{202e}\u{2028}-box\u{0}\u{d800}";
    expect(
      await identified({ ...full, info, models: ["a\u{7}b", "\u{1b}"], server: "x\r\ny" }),
    ).toMatchObject({
      info: "gpu[31m-box",
      models: ["ab"],
      server: "xy",
    });
  });

  it("has its text cut to what the network carries, between characters", async () => {
    expect(await identified({ ...full, info: "\u{1f600}".repeat(100) })).toMatchObject({
      info: "\u{1f600}".repeat(62),
    });
  });

  it("has its lists cut, and their odd entries left out", async () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `model-${n}`);
    const odd = [null, 7, {}, "", "model-0", "x".repeat(257)];
    const { models, apis } = (await identified({ ...full, models: [...odd, ...many], apis: many })) as {
      models: readonly string[];
      apis: readonly string[];
    };
    expect(models).toEqual(many.slice(0, 256));
    expect(apis).toEqual(many.slice(0, 16));
  });

  it.each(["__proto__", "constructor", "prototype"])("changes no object through %s", async (key) => {
    const evil = `{"schemaVersion":1,"${key}":{"port":1,"info":"evil","polluted":true}}`;
    const verdict = await ask(await publish(evil));
    expect(verdict).toMatchObject({ identification: { info: "" } });
    expect({}).not.toHaveProperty("polluted");
  });

  it("does not inherit its version", async () => {
    expect(await ask(await publish('{"__proto__":{"schemaVersion":1}}'))).toEqual(other);
  });
});

describe("documentHandler", () => {
  const serve = (document: () => WellKnownDocument): Promise<Loopback> => {
    const handle = documentHandler(document);
    return serveHttp((request, response) => {
      if (!handle(request, response)) response.writeHead(418).end("not ours");
    });
  };
  const url = ({ port }: Loopback, path: string = documentPath): string => `http://${host}:${port}${path}`;

  it("serves what identify understands", async () => {
    const server = await serve(() => full);
    expect(await ask(server)).toMatchObject({ identification: { id: full.id, port: 8000 } });
    const response = await fetch(url(server));
    expect(await response.json()).toEqual(full);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "max-age=60",
      "x-content-type-options": "nosniff",
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers HEAD with the same headers", async () => {
    const server = await serve(() => full);
    const response = await fetch(url(server), { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe(String(JSON.stringify(full).length));
    expect(await response.text()).toBe("");
  });

  it("follows changes", async () => {
    let models: readonly string[] = ["a"];
    const server = await serve(() => ({ schemaVersion: 1, models }));
    models = ["a", "b"];
    expect(await ask(server)).toMatchObject({ identification: { models: ["a", "b"] } });
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("refuses %s", async (method) => {
    const response = await fetch(url(await serve(() => full)), { method });
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
    const response = await fetch(url(await serve(() => full), path));
    expect([response.status, await response.text()]).toEqual([418, "not ours"]);
  });

  it("ignores a query", async () => {
    expect((await fetch(url(await serve(() => full), `${documentPath}?x=1`))).status).toBe(200);
  });

  it("reflects nothing of the request", async () => {
    const response = await fetch(url(await serve(() => full)), {
      headers: { origin: "http://evil.example" },
    });
    expect(JSON.stringify([...response.headers]) + (await response.text())).not.toContain("evil");
  });
});
