import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { runOrThrow } from "../../src/place.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { temporaryFolder } from "../mesh/temporary-folder.ts";
import { EtcdHosts } from "./etcd-host.ts";
import { allListMs, type FleetNode, lifetimeMs, slackMs, startNode } from "./fleet-node.ts";

const test = needsPeers(["etcd"]);
const names = (hosts: readonly { readonly name: string }[]): string[] => hosts.map(({ name }) => name);

/** Nothing passes between the two, and nobody is told. */
function gapBetween(left: readonly Host[], right: readonly Host[]): string {
  const set = (hosts: readonly Host[]): string => `{ ${hosts.map(({ name }) => `"${name}"`).join(", ")} }`;
  return [
    `iifname ${set(left)} oifname ${set(right)} drop`,
    `iifname ${set(right)} oifname ${set(left)} drop`,
  ].join("\n");
}

describeNet("a fleet on etcd", () => {
  test("notices nothing when one server of three dies, nor when another falls silent", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 7 });
    const [first, second, third, ...hosts] = lan.hosts;
    const etcd = new EtcdHosts([first, second, third], folder.path);
    await etcd.start();
    const [late, ...early] = hosts;
    if (!late) throw new TypeError("there are four");
    const nodes = await Promise.all(early.map((host) => startNode(host, etcd.urls)));
    await allListMs(nodes, names(early));
    const from = nodes.map(({ lineCount }) => lineCount());

    await etcd.kill(first);
    await delay(3 * lifetimeMs);
    expect(nodes.map(({ troubles }, index) => troubles(from[index]))).toEqual(nodes.map(() => []));

    nodes.push(await startNode(late, etcd.urls));
    await allListMs(nodes, names(hosts));
    await etcd.start();
    // The link of one goes down, and no connection to it is closed.
    await lan.filter("silence", gapBetween([second], [first, third, ...hosts]));
    await delay(3 * lifetimeMs);
    await allListMs(nodes, names(hosts));
    nodes[0]?.kill("SIGKILL");
    expect(
      await allListMs(
        nodes.slice(1),
        names(hosts).filter((name) => name !== nodes[0]?.name),
      ),
    ).toBeLessThan(lifetimeMs + slackMs);
    const downs = nodes
      .slice(1)
      .map(({ troubles }) => troubles().filter((line) => line.includes('"down"')).length);
    expect(downs).toEqual([1, 1, 1]);
  }, 120_000);

  test("whose half is cut off from the server keeps its list, and is whole again when it is back", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 5 });
    const [server, ...hosts] = lan.hosts;
    const etcd = new EtcdHosts([server], folder.path);
    await etcd.start();
    const nodes = await Promise.all(hosts.map((host) => startNode(host, etcd.urls)));
    await allListMs(nodes, names(hosts));
    const [near, far] = [hosts.slice(0, 2), hosts.slice(2)];
    const [nearby, cutOff] = [nodes.slice(0, 2), nodes.slice(2)] as [FleetNode[], FleetNode[]];

    await lan.filter("halves", gapBetween([server], far));
    await Promise.all(cutOff.map(({ isWarned }) => isWarned("ENGINE_UNREACHABLE")));
    for (const node of cutOff) {
      const others = names(hosts).map((name) => (name === node.name ? name : `${name}*`));
      await node.lists(others);
    }
    // For those at the server, who cannot renew its lease is gone.
    expect(await allListMs(nearby, names(near))).toBeLessThan(lifetimeMs + slackMs);
    nearby[0]?.kill("SIGKILL");
    await nearby[1]?.lists(names(near.slice(1)));

    await lan.filter("halves", null);
    const alive = nodes.slice(1);
    expect(await allListMs(alive, names(hosts.slice(1)))).toBeLessThan(2 * lifetimeMs + slackMs);
  }, 120_000);

  test("outlives a server whose disk is full", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 4 });
    const [server, ...hosts] = lan.hosts;
    await runOrThrow(server, ["mount", "-t", "tmpfs", "-o", "size=200m", "full", folder.path]);
    const etcd = new EtcdHosts([server], folder.path);
    await etcd.start();
    const nodes = await Promise.all(hosts.slice(1).map((host) => startNode(host, etcd.urls)));
    await allListMs(nodes, names(hosts.slice(1)));

    await server.run(["sh", "-c", `cat /dev/zero > ${folder.path}/filler`]);
    const [late] = hosts;
    // Its database has no room to grow: it ends itself at one of the next announcements.
    const writing = startNode(late, etcd.urls);
    const filling = server.run([process.execPath, "-e", fillScript(server.address)]);
    await Promise.all(nodes.map(({ isWarned }) => isWarned("ENGINE_UNREACHABLE")));
    await filling;
    await etcd.exited(server);

    await runOrThrow(server, ["rm", `${folder.path}/filler`]);
    await etcd.start();
    nodes.push(await writing);
    expect(await allListMs(nodes, names(hosts))).toBeLessThan(lifetimeMs + slackMs);
    for (const node of nodes) expect(node.troubles().filter((line) => line.includes('"down"'))).toEqual([]);
  }, 120_000);
});

/** Somebody else writes until nothing more can be written. */
function fillScript(address: string): string {
  return `
    const body = JSON.stringify({ key: "eA==", value: "QUFB".repeat(50_000) });
    (async () => {
      for (let count = 0; count < 400; count += 1) {
        await fetch("http://${address}:2379/v3/kv/put", { method: "POST", body });
      }
    })().catch(() => {});`;
}
