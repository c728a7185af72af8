import { createLan, type Host, runOrThrow } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { gapBetween } from "../mesh/gap.ts";
import { EtcdHosts } from "./etcd-host.ts";
import { allList, type StoreNode, startNode } from "./store-node.ts";

const test = needsPeers(["etcd"]);
const names = (hosts: readonly { readonly name: string }[]): string[] => hosts.map(({ name }) => name);

/** Kills one; that it is gone from all lists says that a lifetime is over, in which all others were renewed. */
async function missesNobodyBut([dying, ...others]: readonly StoreNode[]): Promise<void> {
  dying?.kill("SIGKILL");
  await allList(others, names(others));
  const downs = others.map(({ troubles }) => troubles().filter((line) => line.includes('"down"')));
  expect(downs).toEqual(others.map(() => [expect.stringContaining(`"${dying?.name}"`)]));
}

describeNet("a fleet on etcd", () => {
  describe.concurrent("of its own", () => {
    test("notices nothing when one server of three dies, and takes newcomers", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 7 });
      const [first, second, third, late, ...early] = lan.hosts;
      const etcd = new EtcdHosts([first, second, third], folder.path);
      await etcd.start();
      const nodes = await Promise.all(early.map((host) => startNode(host, etcd.urls)));
      await allList(nodes, names(early));

      await etcd.kill(first);
      await missesNobodyBut(nodes);
      const newcomer = await startNode(late, etcd.urls);
      await allList([...nodes.slice(1), newcomer], names([...nodes.slice(1), newcomer]));
    });

    test("notices nothing when the link of one server of three goes down", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 6 });
      const [first, second, third, ...hosts] = lan.hosts;
      const etcd = new EtcdHosts([first, second, third], folder.path);
      await etcd.start();
      const nodes = await Promise.all(hosts.map((host) => startNode(host, etcd.urls)));
      await allList(nodes, names(hosts));

      // No connection to it is closed.
      await lan.filter("silence", gapBetween([first], [second, third, ...hosts]));
      await missesNobodyBut(nodes);
    });

    test("whose half is cut off from the server keeps its list, and is whole again when it is back", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 5 });
      const [server, ...hosts] = lan.hosts;
      const etcd = new EtcdHosts([server], folder.path);
      await etcd.start();
      // No node needs to stay all the time; two lifetimes are waited for.
      const start = (host: Host) => startNode(host, etcd.urls, "etcd", { lifetimeMs: 8_000 });
      const nodes = await Promise.all(hosts.map(start));
      await allList(nodes, names(hosts));
      const [near, far] = [hosts.slice(0, 2), hosts.slice(2)];
      const [nearby, cutOff] = [nodes.slice(0, 2), nodes.slice(2)] as [StoreNode[], StoreNode[]];

      await lan.filter("halves", gapBetween([server], far));
      await Promise.all(cutOff.map(({ isWarned }) => isWarned("MEDIUM_UNREACHABLE")));
      for (const node of cutOff) await node.lists(names(hosts).map((name) => `${name}*`));
      // For those at the server, who cannot renew its lease is gone.
      await allList(nearby, names(near));
      nearby[0]?.kill("SIGKILL");
      await nearby[1]?.lists(names(near.slice(1)));

      await lan.filter("halves", null);
      const alive = nodes.slice(1);
      await allList(alive, names(hosts.slice(1)));
    });

    test("outlives a server whose disk is full", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 4 });
      const [server, ...hosts] = lan.hosts;
      await runOrThrow(server, ["mount", "-t", "tmpfs", "-o", "size=200m", "full", folder.path]);
      const etcd = new EtcdHosts([server], folder.path);
      await etcd.start();
      const nodes = await Promise.all(hosts.slice(1).map((host) => startNode(host, etcd.urls)));
      await allList(nodes, names(hosts.slice(1)));

      await server.run(["sh", "-c", `cat /dev/zero > ${folder.path}/filler`]);
      const [late] = hosts;
      // Its database has no room to grow: it ends itself at one of the next announcements.
      const writing = startNode(late, etcd.urls);
      const filling = server.run([process.execPath, "-e", fillScript(server.address)]);
      await Promise.all(nodes.map(({ isWarned }) => isWarned("MEDIUM_UNREACHABLE")));
      await filling;
      await etcd.exited(server);

      await runOrThrow(server, ["rm", `${folder.path}/filler`]);
      await etcd.start();
      nodes.push(await writing);
      await allList(nodes, names(hosts));
      for (const node of nodes) expect(node.troubles().filter((line) => line.includes('"down"'))).toEqual([]);
    });
  });
});

/** Another client writes until the disk is full. */
function fillScript(address: string): string {
  return `
    const body = JSON.stringify({ key: "eA==", value: "QUFB".repeat(50_000) });
    (async () => {
      for (let count = 0; count < 400; count += 1) {
        await fetch("http://${address}:2379/v3/kv/put", { method: "POST", body });
      }
    })().catch(() => {});`;
}
