import { type Check, silentLog, systemClock } from "@lmserv/discovery-core/transport";
import { expect, test } from "vitest";
import { type EtcdOptions, etcd } from "../src/transport.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeEtcd } from "./servers/describe.ts";
import { EtcdServer } from "./servers/server.ts";

/** The only finding. */
async function examine(options: EtcdOptions): Promise<Check | undefined> {
  const context = { clock: systemClock, random: Math.random, log: silentLog, neighbors: async () => [] };
  const checks: Check[] = [];
  const { signal } = new AbortController();
  for await (const one of etcd(options).diagnose?.(context, { signal }) ?? []) checks.push(one);
  expect(checks).toHaveLength(1);
  return checks[0];
}

describeEtcd("the examination of etcd", { concurrent: true }, () => {
  test("reads what there is of this fleet, and is refused where we have no right", async () => {
    await using server = await EtcdServer.start();
    const announcer = new PlainAnnouncer(server, "default");
    await announcer.appear({ id: "a", port: 1, info: "a" });
    await announcer.appear({ id: "b", port: 2, info: "b" });
    await new PlainAnnouncer(server, "another").appear({ id: "c", port: 3, info: "c" });
    const before = await announcer.list();
    expect(await examine({ endpoints: [server.url] })).toEqual({
      code: "etcd/store-read",
      verdict: "ok",
      transport: "etcd",
      interface: null,
      message: `etcd at ${server.url} lets us in, and has 2 values of the fleet default`,
      fix: null,
    });
    expect(await announcer.list()).toEqual(before);

    for (const user of ["root", "stranger"]) {
      await server.ask("/v3/auth/user/add", { name: user, password: "p" });
      await server.ask("/v3/auth/role/add", { name: user });
      await server.ask("/v3/auth/user/grant", { user, role: user });
    }
    await server.ask("/v3/auth/enable", {});
    for (const [login, message] of [
      [{}, /wants a user and a password/],
      [{ user: "stranger", password: "x" }, /does not know the user "stranger"/],
      [{ user: "stranger", password: "p" }, /needs to read \/lmserv\/default\//],
    ] as const) {
      const found = await examine({ endpoints: [server.url], ...login });
      expect(found).toMatchObject({ code: "etcd/store-refuses", message: expect.stringMatching(message) });
    }
  });

  test("says that nobody listens", async () => {
    const found = await examine({ endpoints: ["http://127.0.0.1:9"] });
    expect(found).toMatchObject({ code: "etcd/store-absent", verdict: "fail" });
    expect(found?.fix).toContain("start it");
  });
});
