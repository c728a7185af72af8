import { expect, test } from "vitest";
import { describeEtcd } from "../test/servers/describe.ts";
import { allList, lifetimeMs, Scene } from "../test/site.ts";

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

// Figures of this process depend on other programs and the collector: none of them belongs in a test.
describeEtcd("outages of etcd", {}, () => {
  test("thirty broken connections cost few questions and no memory", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const proxy = await scene.proxy(server);
    const clients = await scene.clients(proxy.url);
    await allList(clients, "a", "b");
    const [heapBefore, sentBefore] = [heapBytes(), proxy.sent];
    for (let round = 0; round < 30; round += 1) {
      proxy.breakAll();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await allList(clients, "a", "b");
    // Attempts of one second, by three watches and two leases.
    expect((proxy.sent - sentBefore) / 30).toBeLessThan(40);
    expect(heapBytes() - heapBefore).toBeLessThan(4 * 2 ** 20);
  });

  test("a server that is gone for two lifetimes costs next to nothing", async () => {
    await using scene = new Scene();
    const server = await scene.etcd();
    const endpoints = [server.url];
    const watcher = await scene.join({ endpoints }, null, lifetimeMs);
    await scene.join({ endpoints }, "dead", lifetimeMs);
    await allList([watcher], "dead");
    await server.kill();
    await allList([watcher], "dead*");
    const [lostMs, cpu] = [performance.now(), process.cpuUsage()];
    await allList([watcher]);
    const graceMs = performance.now() - lostMs;
    expect(graceMs).toBeGreaterThan(2 * lifetimeMs - 500);
    expect(graceMs).toBeLessThan(2 * lifetimeMs + 8_000);
    const { user, system } = process.cpuUsage(cpu);
    expect((user + system) / 1_000).toBeLessThan(graceMs / 4);
  });
});
