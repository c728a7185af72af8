import { expect, test } from "vitest";
import { CountingProxy } from "../test/counting-proxy.ts";
import { describeNats } from "../test/describe-nats.ts";
import { NatsServer } from "../test/server.ts";
import { openClient } from "../test/site.ts";

const lifetimeMs = 2_000;
// Figures of this process, which other programs and the collector shift: none of them belongs in a test.

const heldValues = 50;
const outages = 12;

describeNats("outages", {}, () => {
  test("cost neither memory nor the processor", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    await using client = await openClient({ endpoints: [proxy.url], lifetimeMs });
    const keys = Array.from({ length: heldValues }, (_, index) => `${index}`);
    await Promise.all(keys.map((key) => client.connection.hold(key, key.repeat(200), new AbortController())));
    await client.view.lists(keys);

    // A long one first: how often is somebody asked who does not answer, and what does waiting cost?
    await server.kill();
    await client.view.until(({ isLost }) => isLost);
    const [attemptsBefore, cpuBefore] = [proxy.attempts, process.cpuUsage()];
    const waitedMs = 4_000;
    await client.view.until(() => false, waitedMs).catch(() => {});
    const { user, system } = process.cpuUsage(cpuBefore);
    expect(proxy.attempts - attemptsBefore).toBeLessThan(60);
    expect((user + system) / 1_000).toBeLessThan(0.25 * waitedMs);
    await server.start();
    expect(await client.view.lists(keys)).toBeLessThan(2 * lifetimeMs);

    // Then many short ones.
    const heaps: number[] = [];
    for (let outage = 0; outage < outages; outage += 1) {
      const before = client.view.count("snapshot");
      await server.kill();
      await server.start();
      await client.view.until(
        (view) => view.count("snapshot") > before && !view.isLost && view.values.size === heldValues,
      );
      client.view.events.splice(0, client.view.events.length - 100);
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed / 1e6);
    }
    const [early, late] = [heaps.slice(2, 6), heaps.slice(-4)].map((part) => Math.min(...part));
    expect(late ?? 0).toBeLessThan((early ?? 0) + 4);
    expect(client.reports).toEqual([]);
  });
});
