import {
  certificate,
  type ModelServer,
  modelServer,
  type NearList,
  nearList,
  type SeenRequest,
} from "@lmserv/test-near";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type NearFetch, type NearFetchOptions, nearFetch } from "../src/index.ts";

let near: NearList;
const servers: ModelServer[] = [];

beforeEach(async () => {
  near = await nearList();
});

afterEach(async () => {
  await near[Symbol.asyncDispose]();
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
});

async function serve(answer?: (request: SeenRequest) => unknown): Promise<ModelServer> {
  const server = await modelServer(answer);
  servers.push(server);
  return server;
}

function ask({ fetch }: NearFetch, body: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch("http://lmserv.invalid/v1/chat/completions?x=1", {
    method: "POST",
    body: JSON.stringify({ model: "llama3", messages: [{ role: "user", content: "hi" }], ...body }),
    headers: { "content-type": "application/json" },
    ...init,
  });
}

describe("secrets", () => {
  const withKey: NearFetchOptions = { nodeKeys: [{ node: "liar", key: "secret" }] };

  test("of the client go to no node", async () => {
    const server = await serve();
    await near.list({ id: "box", port: server.port });
    const headers = { authorization: "Bearer mine", cookie: "a=b", "x-api-key": "mine", "x-other": "passes" };
    await ask(nearFetch(near.discovery), {}, { headers });
    const seen = server.requests[0]?.headers;
    expect(JSON.stringify(seen)).not.toContain("mine");
    expect(seen).toMatchObject({ "x-other": "passes" });
    expect(seen).not.toHaveProperty("cookie");
  });

  test("of a node go to the configured address", async () => {
    const server = await serve();
    await near.list({ id: "box", port: server.port, auth: "required" });
    const fetching = nearFetch(near.discovery, {
      nodeKeys: [{ node: `127.0.0.1:${server.port}`, key: "secret" }],
    });
    await ask(fetching);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer secret");
  });

  test("of a node go to nobody who only takes its name", async () => {
    const server = await serve();
    await near.list({ id: "liar", port: server.port });
    await ask(nearFetch(near.discovery, withKey));
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("of a signed node go to the node that signs", async () => {
    const server = await serve();
    await near.list({ id: "liar", port: server.port, trust: "signed" });
    await ask(nearFetch(near.discovery, withKey));
    expect(server.requests[0]?.headers.authorization).toBe("Bearer secret");
  });
});

describe("a node with TLS", () => {
  async function secure(ca: string | undefined): Promise<Response> {
    const server = await modelServer(undefined, certificate);
    servers.push(server);
    await near.list({ id: "box", port: server.port, scheme: "https" });
    return ask(nearFetch(near.discovery, ca === undefined ? {} : { ca }));
  }

  test("is asked where its certificate is vouched for", async () => {
    const response = await secure(certificate.ca);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  });

  test("is not asked otherwise, and that is told", async () => {
    const response = await secure(undefined);
    expect(response.status).toBe(503);
    expect(await response.text()).toMatch(/box: .*certificate/);
    expect(servers.at(-1)?.requests).toHaveLength(0);
  });
});
