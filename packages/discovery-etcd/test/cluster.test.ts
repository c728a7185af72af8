import { expect, test, vi } from "vitest";
import { patience } from "../../discovery-store/test/client.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { EtcdCluster } from "./servers/cluster.ts";
import { describeEtcd } from "./servers/describe.ts";
import { Scene } from "./site.ts";

/** Long enough that a busy machine never takes a leader's absence for the store's. */
const lifetimeMs = 60_000;
const nodes = 2_000;
/** Values put at a time. */
const burst = 50;

describeEtcd("a cluster of etcd", {}, () => {
  test("that changes its leader is no event for any of two thousand nodes", async () => {
    await using scene = new Scene();
    const cluster = await scene.add(EtcdCluster.start());
    const { leader, followers } = await cluster.ranks();
    const [server] = followers;
    if (!server) throw new TypeError("there are two");
    const hosts = new PlainAnnouncer(server, "default");
    for (let from = 1; from <= nodes; from += burst) {
      const ports = Array.from({ length: burst }, (_, index) => from + index);
      await Promise.all(ports.map((port) => hosts.appear({ id: `${port}`, port, info: `${port}` }, 3_600)));
    }
    const { endpoints } = cluster;
    const clients = [
      await scene.join({ endpoints, lifetimeMs }, "own"),
      await scene.join({ endpoints: [leader, ...followers].map(({ url }) => url), lifetimeMs }),
    ];
    const allHave = async (expected: number): Promise<void> => {
      for (const client of clients) {
        await vi.waitFor(() => expect(client.nodes.length).toBe(expected), patience);
      }
    };
    await allHave(nodes + 1);
    const before = clients.map(({ changes }) => changes.length);
    await leader.kill();
    await vi.waitFor(() => hosts.appear({ id: "new", port: 60_000, info: "new" }), patience);
    await allHave(nodes + 2);
    const since = clients.map(({ changes }, index) => changes.slice(before[index]));
    expect(since).toEqual([["up new"], ["up new"]]);
    expect(clients.flatMap(({ messages }) => messages)).toEqual([]);
  });
});
