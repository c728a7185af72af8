import { describe, expect, test } from "vitest";
import type { RawResponse } from "./endpoint.ts";
import { ask, chat, site } from "./site.ts";

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
