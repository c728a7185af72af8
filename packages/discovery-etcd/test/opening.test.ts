import { once } from "node:events";
import { createServer } from "node:http";
import { createDiscovery } from "@lmserv/discovery-core";
import { describe, expect, test } from "vitest";
import { type EtcdOptions, etcd, plugin } from "../src/index.ts";

/** Server that answers `/version` only. */
async function impostor(status: number, body: string) {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe("what answers", () => {
  test.each([
    [
      "an etcd of old",
      200,
      '{"etcdserver":"3.2.26","etcdcluster":"3.2.0"}',
      /version 3\.2\.26, which is too old: 3\.4/,
    ],
    ["a web server", 200, "<h1>It works!</h1>", /no etcd/],
    ["one that knows no versions", 404, "404 page not found", /HTTP 404/],
    ["another thing with JSON", 200, '{"version":"2.9"}', /no etcd/],
  ])("may be %s", async (_, status, body, message) => {
    await using server = await impostor(status, body);
    const opening = createDiscovery({ transports: [etcd({ endpoints: [server.url] })] });
    await expect(opening).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      via: "etcd",
      message: expect.stringMatching(message),
    });
  });

  test("may be nobody", async () => {
    const opening = createDiscovery({
      transports: [etcd({ endpoints: ["http://127.0.0.1:9"] })],
      waitForNetwork: false,
    });
    await expect(opening).rejects.toMatchObject({
      code: "MEDIUM_UNREACHABLE",
      message: expect.stringMatching(/127\.0\.0\.1:9: no answer: .*ECONNREFUSED.*start it/),
    });
  });
});

describe("options", () => {
  test.each<[EtcdOptions, RegExp]>([
    [{ endpoints: [] }, /endpoints must be a list of 1 to 16, and is \[\]/],
    [{ endpoints: ["10.0.0.1:2379"] }, /endpoints holds "10\.0\.0\.1:2379", which is not like/],
    [{ endpoints: ["nats://10.0.0.1:4222"] }, /not like http/],
    [{ endpoints: ["http://user:secret@10.0.0.1"] }, /not like/],
    [{ user: "node" }, /user and password/],
    [{ prefix: "lmserv" }, /prefix "lmserv" must .* end with/],
    [{ cluster: "my fleet" }, /cluster "my fleet"/],
    [{ lifetimeMs: 100 }, /lifetimeMs must be a whole number from 2000 to 86400000, and is 100/],
    [{ addresses: ["localhost"] }, /addresses holds "localhost"/],
  ])("%j cannot be", (options, message) => {
    expect(() => etcd(options)).toThrow(message);
  });

  test("of a file make a transport under the name that it is given", async () => {
    const options = {
      endpoints: ["https://etcd.example"],
      user: "node",
      password: "p",
      ca: "ca",
      tls: { cert: "c", key: "k" },
      prefix: "/discovery/",
      cluster: "lab",
      lifetimeMs: 60_000,
      addresses: ["10.0.0.1"],
    };
    const result = await plugin.options["~standard"].validate(options);
    expect(result.issues).toBeUndefined();
    if (!result.issues) expect((await plugin.create(result.value, { name: "far" })).name).toBe("far");
  });
});
