import { expect, test, vi } from "vitest";
import { allList, patience } from "../../discovery-store/test/client.ts";
import { close, join, names, openClients } from "./clients.ts";
import { NatsCluster } from "./servers/cluster.ts";
import { describeNats } from "./servers/describe.ts";

/** A cluster takes 4 to 9 s to elect another leader, and longer on a busy machine. */
const clusterLifetimeMs = 40_000;

describeNats("nobody notices", {}, () => {
  test("when the one of three servers that leads is killed", async () => {
    await using cluster = await NatsCluster.start(3);
    const options = { endpoints: cluster.urls, replicas: 3, lifetimeMs: clusterLifetimeMs, cluster: "tests" };
    const clients = await openClients(options);
    const keys = clients[0]?.nodes.map(({ sources }) => sources[0]?.key) ?? [];
    const sequences = (): Promise<number[]> =>
      Promise.all(keys.map((key) => cluster.sequenceOf("lmserv_tests", `n.${key}`)));
    const before = Math.max(...(await sequences()));
    await cluster.kill(await cluster.leaderOf("lmserv_tests"));
    const newcomer = await join(options, "d");
    const all = [...clients, newcomer];
    await allList(all, ...names, "d");
    // Every value has been put once more since.
    await vi.waitFor(async () => expect(Math.min(...(await sequences()))).toBeGreaterThan(before), patience);
    for (const { list, downs, messages } of clients) {
      expect({ list, downs, messages }).toEqual({ list: [...names, "d"], downs: [], messages: [] });
    }
    await close(all);
  });
});
