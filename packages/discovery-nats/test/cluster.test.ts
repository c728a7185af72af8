import { expect, test, vi } from "vitest";
import { NatsCluster } from "./cluster.ts";
import { describeNats } from "./describe-nats.ts";
import { close, keys, losses, openFleet } from "./fleet.ts";
import { openClient, patience } from "./site.ts";

/** The servers of a cluster take 4 to 9 s to choose another leader, and longer on a busy machine. */
const clusterLifetimeMs = 40_000;
const signal = new AbortController().signal;

describeNats("nobody notices", {}, () => {
  test("when the one of three servers that leads is killed", async () => {
    await using cluster = await NatsCluster.start(3);
    const clients = await openFleet({ endpoints: cluster.urls, replicas: 3, lifetimeMs: clusterLifetimeMs });
    const sequences = (): Promise<number[]> =>
      Promise.all(keys.map((key) => cluster.sequenceOf("lmserv_tests", `n.${key}`)));
    const before = Math.max(...(await sequences()));
    await cluster.kill(await cluster.leaderOf("lmserv_tests"));
    const newcomer = await openClient({
      endpoints: cluster.urls,
      replicas: 3,
      lifetimeMs: clusterLifetimeMs,
    });
    await newcomer.connection.hold("d", "newcomer", { signal });
    const all = [...clients, newcomer];
    await Promise.all(all.map(({ view }) => view.lists([...keys, "d"])));
    // Everybody's value has been put once more since.
    await vi.waitFor(async () => expect(Math.min(...(await sequences()))).toBeGreaterThan(before), patience);
    expect(losses(all)).toEqual([]);
    for (const { view, reports } of all) {
      expect(view.count("delete")).toBe(0);
      expect(reports).toEqual([]);
      expect([...view.values.keys()].sort()).toEqual([...keys, "d"]);
    }
    await close(all);
  });
});
