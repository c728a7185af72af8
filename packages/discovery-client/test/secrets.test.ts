import { certificate, type ModelServer } from "@lmserv/test-near";
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

  async function secure(ca: string | undefined): Promise<Response> {
    server = await lan.serve(undefined, certificate);
    await lan.near.list({ id: "box", port: server.port, scheme: "https" });
    return ask(nearFetch(lan.near.discovery, ca === undefined ? {} : { ca }));
  }

  test("is asked where its certificate is vouched for", async () => {
    const response = await secure(certificate.ca);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  });

  test("is not asked otherwise, and that is told", async () => {
    const response = await secure(undefined);
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/box: .*certificate/);
    expect(server?.requests).toHaveLength(0);
  });
});
