import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { NatsHosts } from "./nats-hosts.ts";
import { allList, startNode } from "./store-node.ts";

const test = needsPeers(["nats"]);
const names = (hosts: readonly { readonly name: string }[]): string[] => hosts.map(({ name }) => name);
/** Servers take 4 to 9 s to choose another leader, and several times that on a busy machine. */
const clusterLifetimeMs = 60_000;

describeNet("a fleet on NATS", () => {
  describe.concurrent("of its own", () => {
    test("notices nothing when the server that leads three falls silent, and takes newcomers", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 7 });
      const [first, second, third, ...hosts] = lan.hosts;
      const nats = new NatsHosts([first, second, third], folder.path);
      await nats.start();
      const start = (host: Host) =>
        startNode(host, nats.urls, "nats", { replicas: 3, lifetimeMs: clusterLifetimeMs });
      const [late, ...early] = hosts;
      if (!late) throw new TypeError("there are four");
      const nodes = await Promise.all(early.map(start));
      await allList(nodes, names(early));
      const from = nodes.map(({ lineCount }) => lineCount());

      const leader = await nats.leader();
      await leader.cut();
      const newcomer = await start(late);
      await allList([...nodes, newcomer], names(hosts));
      expect(nodes.map(({ troubles }, index) => troubles(from[index]))).toEqual(nodes.map(() => []));
      nodes.push(newcomer);
      expect(nodes.map(({ stderrText }) => stderrText())).toEqual(nodes.map(() => ""));
    });

    test("whose half is cut off from the server keeps its list, and is whole again when it is back", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 5 });
      const [server, ...hosts] = lan.hosts;
      const nats = new NatsHosts([server], folder.path);
      await nats.start();
      const nodes = await Promise.all(hosts.map((host) => startNode(host, nats.urls, "nats")));
      await allList(nodes, names(hosts));
      const [nearby, cutOff] = [nodes.slice(0, 2), nodes.slice(2)];

      await Promise.all(hosts.slice(2).map((host) => host.cut()));
      await Promise.all(cutOff.map(({ isWarned }) => isWarned("MEDIUM_UNREACHABLE")));
      for (const node of cutOff) await node.lists(names(hosts).map((name) => `${name}*`));
      // For those at the server, who cannot renew is gone; nothing else happens to them.
      await allList(nearby, names(nearby));
      expect(
        nearby.flatMap(({ troubles }) => troubles().filter((line) => line.includes('"warning"'))),
      ).toEqual([]);
      await Promise.all(hosts.slice(2).map((host) => host.heal()));
      await allList(nodes, names(hosts));
      expect(nodes.map(({ stderrText }) => stderrText())).toEqual(nodes.map(() => ""));
    });
  });
});
