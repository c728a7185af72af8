import { setTimeout as delay } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { patience } from "../../discovery-store/test/client.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeEtcd } from "./servers/describe.ts";
import { allList, allWarned, lifetimeMs, Scene } from "./site.ts";

describeEtcd("after", { concurrent: true }, () => {
  test("kill -9 and a restart with its data, the list is right, and who died meanwhile is not on it", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.clients(server.url);
    const hosts = new PlainAnnouncer(server, "default");
    await hosts.appear({ id: "mortal", port: 1, info: "mortal" }, 6);
    await allList(clients, "a", "b", "mortal");
    await server.kill();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await allList(clients, "a*", "b*", "mortal*");
    await server.start();
    await allList(clients, "a", "b");
  });

  test("kill -9 and a restart without its data, the list is the same all the time", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.clients(server.url);
    await allList(clients, "a", "b");
    await server.kill();
    await server.forget();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await server.start();
    await allList(clients, "a", "b");
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test("a standstill of etcd that outlasts every lease, the list is the same all the time", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.clients(server.url);
    await allList(clients, "a", "b");
    server.stop();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    // The standstill itself: no lease that etcd knows of survives it.
    await delay(lifetimeMs);
    server.resume();
    await allList(clients, "a", "b");
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test("a compaction while clients were cut off, they know what happened meanwhile", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const proxy = await scene.proxy(server);
    const clients = await scene.clients(proxy.url);
    const hosts = new PlainAnnouncer(server, "default");
    const near = await scene.join({ endpoints: [server.url] }, "near");
    await hosts.appear({ id: "leaving", port: 1, info: "leaving" });
    await allList([...clients, near], "a", "b", "near", "leaving");
    proxy.cut();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await hosts.disappear({ id: "leaving", port: 1, info: "leaving" });
    await hosts.appear({ id: "coming", port: 2, info: "coming" });
    const { header } = await server.ask("/v3/kv/range", { key: "YQ==" });
    await server.ask("/v3/kv/compaction", {
      revision: (header as { revision: string }).revision,
      physical: true,
    });
    proxy.restore();
    await allList(clients, "a", "b", "near", "coming");
    await allList([near], "a", "b", "near", "coming");
  });

  test("a store that was full and was given room, whoever had to wait is listed", async () => {
    await using scene = new Scene();
    const server = await scene.etcd({ flags: ["--quota-backend-bytes", String(2 ** 20)] });
    const clients = await scene.clients(server.url);
    await allList(clients, "a", "b");
    const filler = { key: "eA==", value: Buffer.alloc(200_000, "x").toString("base64") };
    const fill = async (): Promise<never> => {
      for (;;) await server.ask("/v3/kv/put", filler);
    };
    await expect(fill()).rejects.toThrow(/database space exceeded/);
    const announcing = clients[2].discovery.announce({ port: 9, info: "late" });
    await allWarned(clients.slice(2), "SEND_FAILED");
    await allList(clients, "a", "b");
    const { header } = await server.ask("/v3/kv/range", { key: "YQ==" });
    await server.ask("/v3/kv/compaction", {
      revision: (header as { revision: string }).revision,
      physical: true,
    });
    await server.ask("/v3/maintenance/defragment", {});
    const { alarms = [] } = await server.ask("/v3/maintenance/alarm", { action: "GET" });
    for (const alarm of alarms as object[]) {
      await server.ask("/v3/maintenance/alarm", { action: "DEACTIVATE", ...alarm });
    }
    await allList(clients, "a", "b", "late");
    await announcing;
  });

  test("a lease that an operator revoked, its node is back", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.clients(server.url);
    await allList(clients, "a", "b");
    const { leases = [] } = await server.ask("/v3/lease/leases", {});
    for (const { ID } of leases as { ID: string }[]) await server.ask("/v3/lease/revoke", { ID });
    await allList(clients.slice(2));
    await allList(clients, "a", "b");
  });

  test("a start before etcd's, everybody is known once it is there", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    await server.kill();
    const proxy = await scene.proxy(server);
    const joining = scene.clients(proxy.url);
    await vi.waitFor(() => expect(proxy.attempts).toBeGreaterThan(0), patience);
    await server.start();
    const clients = await joining;
    await allList(clients, "a", "b");
    expect(clients[0]?.warnings).toContain("MEDIUM_UNREACHABLE");
  });

  test("thirty broken connections, nothing was missed and no connection is left over", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const proxy = await scene.proxy(server);
    const clients = await scene.clients(proxy.url);
    await allList(clients, "a", "b");
    for (let round = 0; round < 30; round += 1) {
      const before = proxy.attempts;
      proxy.breakAll();
      await vi.waitFor(() => expect(proxy.attempts).toBeGreaterThan(before), patience);
    }
    await allList(clients, "a", "b");
    await vi.waitFor(() => expect(proxy.connections).toBeLessThanOrEqual(4 * clients.length), patience);
  });

  test("etcd is gone for long, nobody is listed after the grace, and everybody once it is back", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const join = (info: string | null) => scene.join({ endpoints: [server.url] }, info, lifetimeMs);
    const clients = [await join("a"), await join("b"), await join(null)];
    await allList(clients, "a", "b");
    await server.kill();
    await allList(clients, "a*", "b*");
    await allList(clients);
    await server.start();
    await allList(clients, "a", "b");
    expect(clients.map(({ warnings }) => warnings)).toEqual(clients.map(() => ["MEDIUM_UNREACHABLE"]));
  });

  test("a restart without data, none of two hundred nodes has gone", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    // Long enough for the busiest machine to announce all of them again.
    const options = { endpoints: [server.url], lifetimeMs: 120_000 };
    const [watcher, crowd] = [await scene.join(options), await scene.join(options)];
    const names = Array.from({ length: 200 }, (_, index) => `n${index}`);
    await Promise.all(names.map((info, index) => crowd.discovery.announce({ port: 30_000 + index, info })));
    await allList([watcher, crowd], ...names);
    await server.kill();
    await server.forget();
    await allWarned([watcher, crowd], "MEDIUM_UNREACHABLE");
    await server.start();
    const hosts = new PlainAnnouncer(server, "default");
    await vi.waitFor(async () => expect((await hosts.list()).size).toBe(names.length), patience);
    await allList([watcher, crowd], ...names);
    await hosts.appear({ id: "last", port: 1, info: "last" });
    await allList([watcher], ...names, "last");
    expect([...watcher.downs, ...crowd.downs]).toEqual([]);
  });
});
