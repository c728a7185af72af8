import { readFileSync } from "node:fs";
import { createDiscovery } from "@lmserv/discovery-core";
import { systemClock } from "@lmserv/discovery-core/transport";
import { ephemeralIdentity } from "@lmserv/discovery-signing";
import { expect, test, vi } from "vitest";
import { patience } from "../../discovery-store/test/client.ts";
import { etcd } from "../src/transport.ts";
import { describeEtcd } from "./servers/describe.ts";
import type { EtcdServer } from "./servers/server.ts";
import { allList, allWarned, Scene } from "./site.ts";

/** Sets the permissions of the README, which are all that a node needs. */
async function protect(server: EtcdServer): Promise<(path: string, body: object) => Promise<unknown>> {
  const [key, range_end] = ["/lmserv/default/", "/lmserv/default0"].map((text) =>
    Buffer.from(text).toString("base64"),
  );
  const grant = (role: string, permType: string): Promise<unknown> =>
    server.ask("/v3/auth/role/grant", { name: role, perm: { permType, key, range_end } });
  await server.ask("/v3/auth/user/add", { name: "root", password: "r" });
  await server.ask("/v3/auth/role/add", { name: "root" });
  await server.ask("/v3/auth/user/grant", { user: "root", role: "root" });
  for (const [user, permission] of [
    ["node", "READWRITE"],
    ["viewer", "READ"],
    ["stranger", null],
  ] as const) {
    await server.ask("/v3/auth/user/add", { name: user, password: "p" });
    await server.ask("/v3/auth/role/add", { name: user });
    await server.ask("/v3/auth/user/grant", { user, role: user });
    if (permission) await grant(user, permission);
  }
  await server.ask("/v3/auth/enable", {});
  return async (path, body) => {
    const { token } = await server.ask("/v3/auth/authenticate", { name: "root", password: "r" });
    return server.ask(path, body, String(token));
  };
}

/**
 * Sets the roles of the README, one for each id; resolves with a function that sends requests as one of them.
 */
async function enroll(
  server: EtcdServer,
  ids: readonly string[],
): Promise<(id: string, path: string, body: object) => Promise<unknown>> {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const grants = [...readme.matchAll(/^etcdctl role grant-permission ID (read|readwrite) (\S+) (\S+)$/gm)];
  expect(grants).toHaveLength(2);
  await server.ask("/v3/auth/user/add", { name: "root", password: "r" });
  await server.ask("/v3/auth/role/add", { name: "root" });
  await server.ask("/v3/auth/user/grant", { user: "root", role: "root" });
  for (const id of ids) {
    await server.ask("/v3/auth/role/add", { name: id });
    for (const [, type = "", ...range] of grants) {
      const [key, range_end] = range.map((text) => base64(text.replace("ID", id)));
      const perm = { permType: type.toUpperCase(), key, range_end };
      await server.ask("/v3/auth/role/grant", { name: id, perm });
    }
    await server.ask("/v3/auth/user/add", { name: id, password: "p" });
    await server.ask("/v3/auth/user/grant", { user: id, role: id });
  }
  await server.ask("/v3/auth/enable", {});
  return async (name, path, body) => {
    const { token } = await server.ask("/v3/auth/authenticate", { name, password: "p" });
    return server.ask(path, body, String(token));
  };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describeEtcd("etcd with users", { concurrent: true }, () => {
  test("lets in who has the password, also when tokens run out all the time", async () => {
    await using scene = new Scene();
    const server = await scene.etcd({ flags: ["--auth-token-ttl", "1"] });
    await protect(server);
    const endpoints = [server.url];
    const node = { endpoints, user: "node", password: "p" };
    const viewer = { endpoints, user: "viewer", password: "p" };
    const clients = [await scene.join(node, "a"), await scene.join(viewer)];
    await allList(clients, "a");
    // Longer than any token lives without use: its lease is renewed every three seconds.
    const proxy = await scene.proxy(server);
    const idle = await scene.join({ ...node, endpoints: [proxy.url], lifetimeMs: 9_000 }, "idle");
    await allList([...clients, idle], "a", "idle");
    const { sent } = proxy;
    await vi.waitFor(() => expect(proxy.sent).toBeGreaterThan(sent + 1), patience);
    await scene.join(node, "b");
    await allList([...clients, idle], "a", "idle", "b");
    expect(clients.flatMap(({ warnings }) => warnings)).not.toContain("PERMISSION_DENIED");
  });

  test.each([
    ["a wrong password", { user: "node", password: "x" }, /does not know the user "node"/],
    ["no user", {}, /wants a user and a password/],
    [
      "a user without a role",
      { user: "stranger", password: "p" },
      /the user "stranger" needs to read \/lmserv\/default\//,
    ],
  ])("refuses %s, and says so", async (_, credentials, message) => {
    await using scene = new Scene();
    const server = await scene.etcd();
    await protect(server);
    const opening = createDiscovery({ transports: [etcd({ endpoints: [server.url], ...credentials })] });
    await expect(opening).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringMatching(message),
    });
  });

  test("lets nobody touch what another said, where each node has the role of the README", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const [one, other] = [ephemeralIdentity(systemClock.wall()), ephemeralIdentity(systemClock.wall())];
    const ask = await enroll(server, [one.key.id, other.key.id]);
    const loginOf = (identity: typeof one) => ({
      ...{ endpoints: [server.url], user: identity.key.id, password: "p", identity },
    });
    const clients = [await scene.join(loginOf(one), "a"), await scene.join(loginOf(other), "b")];
    await allList(clients, "a", "b");
    const [key, range_end] = [`/lmserv/default/${one.key.id}.`, `/lmserv/default/${one.key.id}/`].map(base64);
    const attempts: readonly [string, object][] = [
      ["/v3/kv/put", { key: base64(`/lmserv/default/${one.key.id}.0`), value: base64("x") }],
      ["/v3/kv/deleterange", { key, range_end }],
      ["/v3/kv/deleterange", { key: base64("/lmserv/"), range_end: base64("/lmserv0") }],
    ];
    for (const [path, body] of attempts) {
      await expect(ask(other.key.id, path, body)).rejects.toThrow("permission denied");
    }
    await ask(one.key.id, "/v3/kv/deleterange", { key, range_end });
    await allList(clients.slice(1), "b");
    await allList(clients, "a", "b");
  });

  test("refuses who may only look to announce", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    await protect(server);
    const announcing = scene.join({ endpoints: [server.url], user: "viewer", password: "p" }, "a");
    await expect(announcing).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringMatching(/to write there/),
    });
  });

  test("whose password was changed is a warning, and all is well when it is changed back", async () => {
    await using scene = new Scene();
    const server = await scene.etcd({ flags: ["--auth-token-ttl", "1"] });
    const ask = await protect(server);
    const credentials = { endpoints: [server.url], user: "node", password: "p" };
    const clients = [await scene.join(credentials, "a"), await scene.join(credentials, "b")];
    await allList(clients, "a", "b");
    await ask("/v3/auth/user/changepw", { name: "node", password: "other" });
    await allWarned(clients, "PERMISSION_DENIED");
    await ask("/v3/auth/user/changepw", { name: "node", password: "p" });
    await allList(clients, "a", "b");
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });
});
