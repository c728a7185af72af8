import { describe, expect, test } from "vitest";
import type { RawResponse } from "./endpoint.ts";
import { ask, chat, question, site } from "./site.ts";

const lan = site();

describe("a page", () => {
  test.each([
    "app://obsidian.md",
    "file://",
    "tauri://localhost",
    "vscode-webview://x",
    "http://localhost:3000",
    "https://127.0.0.1",
  ])("of %s may use it", async (origin) => {
    const { headers, status } = await ask(await lan.before(await lan.serve()), { origin });
    expect(status).toBe(200);
    expect(headers["access-control-allow-origin"]).toBe(origin);
  });

  test.each([
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://127.0.0.1.nip.io",
    "chrome-extension://x",
  ])("of %s may not", async (origin) => {
    const server = await lan.serve();
    expect((await ask(await lan.before(server), { origin, "content-type": "text/plain" })).status).toBe(403);
    expect(server.requests).toHaveLength(0);
  });

  test("may once its origin is allowed", async () => {
    const origin = "https://chat.example";
    expect(
      (await ask(await lan.before(await lan.serve(), { allowOrigins: [origin] }), { origin })).status,
    ).toBe(200);
  });

  test("is told so before it asks, without the key", async () => {
    const { send } = await lan.before(await lan.serve(), { key: "secret" });
    const preflight = (origin: string): Promise<RawResponse> =>
      send({
        method: "OPTIONS",
        path: chat,
        headers: { origin, "access-control-request-headers": "authorization" },
      });
    expect(await preflight("http://localhost:1")).toMatchObject({
      status: 204,
      headers: { "access-control-allow-headers": "authorization" },
    });
    expect((await preflight("https://evil.example")).status).toBe(403);
  });

  test("of another site that names no origin may open the root only", async () => {
    const { send } = await lan.before(await lan.serve());
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    expect((await send({ path: "/v1/models", headers })).status).toBe(403);
    expect((await send({ path: "/", headers: { ...headers, "sec-fetch-mode": "navigate" } })).status).toBe(
      200,
    );
  });
});

describe("a page of another site", () => {
  const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  const withoutOrigin = { "sec-fetch-site": "cross-site" };

  // Requests that browsers send without a preflight (Fetch, "CORS-safelisted").
  test.each([
    ["a form", "POST", chat, { ...foreign, "content-type": "application/x-www-form-urlencoded" }],
    ["a form of parts", "POST", chat, { ...foreign, "content-type": "multipart/form-data; boundary=x" }],
    ["a form of text", "POST", "/api/chat", { ...foreign, "content-type": "text/plain" }],
    ["a form in a sandbox", "POST", chat, { ...foreign, origin: "null", "content-type": "text/plain" }],
    ["a form to the root", "POST", "/", { ...foreign, "sec-fetch-mode": "navigate" }],
    ["a beacon", "POST", chat, { ...foreign, "sec-fetch-mode": "no-cors" }],
    ["a fetch", "GET", "/v1/models", { ...foreign, "sec-fetch-mode": "cors" }],
    ["a question for headers", "HEAD", "/api/tags", { ...withoutOrigin, "sec-fetch-mode": "no-cors" }],
    ["an image", "GET", "/api/tags", { ...withoutOrigin, "sec-fetch-dest": "image" }],
    ["a script", "GET", "/lmserv/nodes", { ...withoutOrigin, "sec-fetch-dest": "script" }],
    ["a frame of events", "GET", "/lmserv/events", { ...withoutOrigin, "sec-fetch-mode": "navigate" }],
    ["a link", "GET", "/metrics", { ...withoutOrigin, "sec-fetch-mode": "navigate" }],
  ])("gets nothing by %s: %s %s", async (_, method, path, headers) => {
    const server = await lan.serve();
    const { send } = await lan.before(server);
    const body = method === "POST" ? question : "";
    expect((await send({ method, path, headers, body })).status).toBe(403);
    expect(server.requests).toHaveLength(0);
  });
});

describe("a host", () => {
  test.each([
    "127.0.0.1",
    "localhost:8740",
    "[::1]:8740",
    "host.docker.internal",
    "box",
    "box.local",
    "chat.example",
  ])("called %s is this one", async (host) => {
    const { send } = await lan.open({ hostname: "box", allowHosts: ["Chat.example"] });
    expect((await send({ headers: { host } })).status).toBe(200);
  });

  test.each(["evil.example", "localhost.evil.example", "127.0.0.1.nip.io"])(
    "called %s is not",
    async (host) => {
      const { send } = await lan.open({ hostname: "box" });
      expect((await send({ headers: { host } })).status).toBe(421);
    },
  );
});

describe("a key", () => {
  test.each([
    ["Bearer", { authorization: "Bearer secret" }],
    ["Basic", { authorization: `Basic ${Buffer.from("any:secret").toString("base64")}` }],
    ["x-api-key", { "x-api-key": "secret" }],
  ])("opens as %s, and reaches no node", async (_, headers) => {
    const server = await lan.serve();
    expect((await ask(await lan.before(server, { key: "secret" }), headers)).status).toBe(200);
    expect(JSON.stringify(server.requests[0]?.headers)).not.toContain("secret");
  });

  test.each([{}, { authorization: "Bearer wrong" }, { authorization: "secret" }, { "x-api-key": "" }])(
    "that is %j opens nothing",
    async (headers) => {
      const answer = await ask(await lan.before(await lan.serve(), { key: "secret" }), headers);
      expect(answer).toMatchObject({
        status: 401,
        headers: { "www-authenticate": expect.stringContaining("Basic") },
      });
    },
  );
});
