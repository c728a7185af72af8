import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeEtcd } from "./describe-etcd.ts";
import { PlainFleet } from "./plain-fleet.ts";
import { allList, allWarned, lifetimeMs, Scene, slackMs } from "./site.ts";

const oneLifetime = lifetimeMs + slackMs;

describeEtcd("after", { concurrent: true }, () => {
  test("kill -9 and a restart with its data, the list is right, and who died meanwhile is not on it", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.fleet(server.url);
    const hosts = new PlainFleet(server, "default");
    await hosts.appear({ id: "mortal", port: 1, info: "mortal" }, 2);
    await allList(clients, "a", "b", "mortal");
    await server.kill();
    await allWarned(clients, "ENGINE_UNREACHABLE");
    expect(clients[2]?.list).toEqual(["a*", "b*", "mortal*"]);
    expect(clients[0]?.list).toEqual(["a", "b*", "mortal*"]);
    await server.start();
    expect(await allList(clients, "a", "b")).toBeLessThan(oneLifetime);
  });

  test("kill -9 and a restart without its data, the list is the same all the time", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.fleet(server.url);
    await allList(clients, "a", "b");
    await server.kill();
    await server.forget();
    await allWarned(clients, "ENGINE_UNREACHABLE");
    await server.start();
    expect(await allList(clients, "a", "b")).toBeLessThan(oneLifetime);
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test("a standstill of etcd that outlasts every lease, the list is the same all the time", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.fleet(server.url);
    await allList(clients, "a", "b");
    server.stop();
    await allWarned(clients, "ENGINE_UNREACHABLE");
    // No lease that etcd knows of survives this.
    await delay(lifetimeMs);
    server.resume();
    expect(await allList(clients, "a", "b")).toBeLessThan(oneLifetime);
    expect(clients.flatMap(({ downs }) => downs)).toEqual([]);
  });

  test("a compaction while clients were cut off, they know what happened meanwhile", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const proxy = await scene.proxy(server);
    const clients = await scene.fleet(proxy.url);
    const hosts = new PlainFleet(server, "default");
    const near = await scene.join({ endpoints: [server.url] }, "near");
    await hosts.appear({ id: "leaving", port: 1, info: "leaving" });
    await allList([...clients, near], "a", "b", "near", "leaving");
    proxy.cut();
    await allWarned(clients, "ENGINE_UNREACHABLE");
    await hosts.disappear({ id: "leaving", port: 1, info: "leaving" });
    await hosts.appear({ id: "coming", port: 2, info: "coming" });
    const { header } = await server.ask("/v3/kv/range", { key: "YQ==" });
    await server.ask("/v3/kv/compaction", {
      revision: (header as { revision: string }).revision,
      physical: true,
    });
    proxy.restore();
    expect(await allList(clients, "a", "b", "near", "coming")).toBeLessThan(oneLifetime);
    expect(await allList([near], "a", "b", "near", "coming")).toBeLessThan(oneLifetime);
  });

  test("a store that was full and was given room, whoever had to wait is listed", async () => {
    await using scene = new Scene();
    const server = await scene.etcd({ flags: ["--quota-backend-bytes", String(2 ** 20)] });
    const clients = await scene.fleet(server.url);
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
    expect(await allList(clients, "a", "b", "late")).toBeLessThan(oneLifetime);
    await announcing;
  });

  test("a lease that an operator revoked, its node is back", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const clients = await scene.fleet(server.url);
    await allList(clients, "a", "b");
    const { leases = [] } = await server.ask("/v3/lease/leases", {});
    for (const { ID } of leases as { ID: string }[]) await server.ask("/v3/lease/revoke", { ID });
    await allList(clients.slice(2));
    expect(await allList(clients, "a", "b")).toBeLessThan(oneLifetime);
  });

  test("a start before etcd's, everybody is known once it is there", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    await server.kill();
    const joining = scene.fleet(server.url);
    await delay(500);
    await server.start();
    const clients = await joining;
    expect(await allList(clients, "a", "b")).toBeLessThan(oneLifetime);
    expect(clients[0]?.warnings).toContain("ENGINE_UNREACHABLE");
  });
});

// One after the other: they measure this process.
describeEtcd("an engine that comes and goes", {}, () => {
  test("thirty broken connections, nothing was missed and nothing is left over", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const proxy = await scene.proxy(server);
    const clients = await scene.fleet(proxy.url);
    await allList(clients, "a", "b");
    const heapBytes = await heap();
    const sent = proxy.sent;
    for (let round = 0; round < 30; round += 1) {
      proxy.breakAll();
      await delay(100);
    }
    await allList(clients, "a", "b");
    expect(proxy.connections).toBeLessThanOrEqual(4 * clients.length);
    // A second of trying, for three watches and two leases.
    expect((proxy.sent - sent) / 30).toBeLessThan(40);
    expect((await heap()) - heapBytes).toBeLessThan(4 * 2 ** 20);
  });

  test("for good leaves those that answer, after two lifetimes, and costs next to nothing", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const endpoints = [server.url];
    const http = await scene.add(serveChat());
    const watcher = await scene.join({ endpoints });
    await scene.join({ endpoints }, "alive", http.port);
    await scene.join({ endpoints }, "dead");
    await allList([watcher], "alive", "dead");
    await server.kill();
    await allList([watcher], "alive*", "dead*");
    const lostMs = performance.now();
    const cpu = process.cpuUsage();
    await allList([watcher], "alive*");
    const graceMs = performance.now() - lostMs;
    expect(graceMs).toBeGreaterThan(2 * lifetimeMs - 500);
    expect(graceMs).toBeLessThan(2 * lifetimeMs + slackMs);
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1_000).toBeLessThan(graceMs / 4);
    await http[Symbol.asyncDispose]();
    await allList([watcher]);
    await server.start();
    expect(await allList([watcher], "alive", "dead")).toBeLessThan(oneLifetime);
  });
});

/** A server that answers as the original does. */
async function serveChat(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((_, response) => response.end('"LMServ is running"'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function heap(): Promise<number> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
