import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { allList, allWarned, downsOf } from "../../discovery-store/test/client.ts";
import { join } from "../test/clients.ts";
import { CountingProxy } from "../test/servers/counting-proxy.ts";
import { describeNats } from "../test/servers/describe.ts";
import { NatsServer } from "../test/servers/server.ts";

const lifetimeMs = 2_000;
// Figures of this process depend on other programs and the collector: none of them belongs in a test.

const heldValues = 50;
const outages = 12;

describeNats("outages", {}, () => {
  test("cost neither memory nor the processor", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    await using client = await join({ endpoints: [proxy.url], lifetimeMs });
    const names = Array.from({ length: heldValues }, (_, index) => `n${index}`);
    await Promise.all(names.map((info, index) => client.discovery.announce({ port: 30_000 + index, info })));
    await allList([client], ...names);

    // A long outage first: how many questions does a silent server get, and how much memory does waiting
    // take?
    await server.kill();
    await allWarned([client], "MEDIUM_UNREACHABLE");
    const [attemptsBefore, cpuBefore] = [proxy.attempts, process.cpuUsage()];
    const waitedMs = 4_000;
    await delay(waitedMs);
    const { user, system } = process.cpuUsage(cpuBefore);
    expect(proxy.attempts - attemptsBefore).toBeLessThan(60);
    expect((user + system) / 1_000).toBeLessThan(0.25 * waitedMs);
    await server.start();
    await allList([client], ...names);

    // Then many short ones.
    const heaps: number[] = [];
    for (let outage = 0; outage < outages; outage += 1) {
      await server.kill();
      await server.start();
      await allList([client], ...names);
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed / 1e6);
    }
    const [early, late] = [heaps.slice(2, 6), heaps.slice(-4)].map((part) => Math.min(...part));
    expect(late ?? 0).toBeLessThan((early ?? 0) + 4);
    expect(downsOf([client])).toEqual([]);
  });
});
