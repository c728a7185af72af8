import { certificate, type ListedNode, type ModelServer } from "@lmserv/test-near";
import { describe, expect, test } from "vitest";
import { type NearFetchOptions, nearFetch } from "../src/index.ts";
import { ask, site } from "./site.ts";

const lan = site();

describe("secrets", () => {
  const withKey: NearFetchOptions = { nodeKeys: [{ node: "liar", key: "secret" }] };

  test("of the client go to no node", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "box", port: server.port });
    const headers = { authorization: "Bearer mine", cookie: "a=b", "x-api-key": "mine", "x-other": "passes" };
    await ask(nearFetch(lan.near.discovery), {}, { headers });
    const seen = server.requests[0]?.headers;
    expect(JSON.stringify(seen)).not.toContain("mine");
    expect(seen).toMatchObject({ "x-other": "passes" });
    expect(seen).not.toHaveProperty("cookie");
  });

  test("of a node go to the configured address", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "box", port: server.port, auth: "required" });
    const fetching = nearFetch(lan.near.discovery, {
      nodeKeys: [{ node: `127.0.0.1:${server.port}`, key: "secret" }],
    });
    await ask(fetching);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer secret");
  });

  test("of a node go to nobody who only takes its name", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "liar", port: server.port });
    await ask(nearFetch(lan.near.discovery, withKey));
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("of a signed node go to the node that signs", async () => {
    const server = await lan.serve();
    await lan.near.list({ id: "liar", port: server.port, trust: "signed" });
    await ask(nearFetch(lan.near.discovery, withKey));
    expect(server.requests[0]?.headers.authorization).toBe("Bearer secret");
  });
});

describe("a node with TLS", () => {
  let server: ModelServer | null = null;

  async function secure(
    optionsOf: (port: number) => NearFetchOptions,
    fields: Partial<ListedNode> = {},
  ): Promise<Response> {
    server = await lan.serve(undefined, certificate);
    await lan.near.list({ id: "box", port: server.port, scheme: "https", ...fields });
    return ask(nearFetch(lan.near.discovery, optionsOf(server.port)));
  }
  const { ca } = certificate;

  test.each<[string, (port: number) => NearFetchOptions, Partial<ListedNode>?]>([
    ["for all", () => ({ ca })],
    ["at its address", (port) => ({ nodeCas: [{ node: `127.0.0.1:${port}`, ca }] })],
    ["by its identity", () => ({ nodeCas: [{ node: "box", ca }] }), { trust: "signed" }],
  ])("is asked where its certificate is vouched for, %s", async (_, options, fields) => {
    const response = await secure(options, fields);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  });

  test("has its own kept connection, which no authority of another node opens", async () => {
    server = await lan.serve(undefined, certificate);
    const fetching = nearFetch(lan.near.discovery, {
      nodeCas: [{ node: `127.0.0.1:${server.port}`, ca }],
    });
    await lan.near.list({ id: "box", port: server.port, scheme: "https" });
    for (const _ of [1, 2]) expect((await ask(fetching)).status).toBe(200);
    const [first, second] = server.requests.map(({ headers }) => headers.connection);
    expect([first, second]).toEqual(["keep-alive", "keep-alive"]);
    const other = await lan.serve(undefined, certificate);
    await lan.near.lose("box", "goodbye");
    await lan.near.list({ id: "other", port: other.port, scheme: "https" });
    expect(await (await ask(fetching)).text()).toMatch(/other: .*certificate/);
    expect(other.requests).toHaveLength(0);
  });

  test.each<[string, () => NearFetchOptions]>([
    ["without any", () => ({})],
    ["by the name that it gives itself", () => ({ nodeCas: [{ node: "box", ca }] })],
    ["at another address", () => ({ nodeCas: [{ node: "127.0.0.1:1", ca }] })],
  ])("is not asked otherwise, %s, and that is told", async (_, options) => {
    const response = await secure(options);
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/box: .*certificate/);
    expect(server?.requests).toHaveLength(0);
  });
});
