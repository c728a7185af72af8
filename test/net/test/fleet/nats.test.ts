import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { temporaryFolder } from "../mesh/temporary-folder.ts";
import { allListMs, lifetimeMs, slackMs, startNode } from "./fleet-node.ts";
import { NatsHosts } from "./nats-hosts.ts";

const test = needsPeers(["nats"]);
const names = (hosts: readonly { readonly name: string }[]): string[] => hosts.map(({ name }) => name);
/** Servers take 4 to 9 s to choose another leader, and several times that on a busy machine. */
const clusterLifetimeMs = 60_000;

describeNet("a fleet on NATS", () => {
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
    await allListMs(nodes, names(early));
    const from = nodes.map(({ lineCount }) => lineCount());

    const leader = await nats.leader();
    await leader.cut();
    // As long as a value lives, and who noticed something would say so.
    await delay(clusterLifetimeMs + slackMs);
    expect(nodes.map(({ troubles }, index) => troubles(from[index]))).toEqual(nodes.map(() => []));
    const newcomer = await start(late);
    expect(await allListMs(nodes, names(hosts))).toBeLessThan(clusterLifetimeMs);
    expect(await newcomer.lists(names(hosts))).toBeLessThan(clusterLifetimeMs);
    nodes.push(newcomer);
    expect(nodes.map(({ stderrText }) => stderrText())).toEqual(nodes.map(() => ""));
  }, 240_000);

  test("whose half is cut off from the server keeps its list, and is whole again when it is back", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 5 });
    const [server, ...hosts] = lan.hosts;
    const nats = new NatsHosts([server], folder.path);
    await nats.start();
    const nodes = await Promise.all(hosts.map((host) => startNode(host, nats.urls, "nats")));
    await allListMs(nodes, names(hosts));
    const [nearby, cutOff] = [nodes.slice(0, 2), nodes.slice(2)];

    await Promise.all(hosts.slice(2).map((host) => host.cut()));
    await Promise.all(cutOff.map(({ isWarned }) => isWarned("ENGINE_UNREACHABLE")));
    for (const node of cutOff) {
      await node.lists(names(hosts).map((name) => (name === node.name ? name : `${name}*`)));
    }
    // For those at the server, who cannot renew is gone; nothing else happens to them.
    expect(await allListMs(nearby, names(nearby))).toBeLessThan(lifetimeMs + slackMs);
    expect(nearby.flatMap(({ troubles }) => troubles().filter((line) => line.includes('"warning"')))).toEqual(
      [],
    );
    expect(Math.max(...(await Promise.all(cutOff.map(({ load }) => load(2_000)))))).toBeLessThan(0.2);

    await Promise.all(hosts.slice(2).map((host) => host.heal()));
    expect(await allListMs(nodes, names(hosts))).toBeLessThan(2 * lifetimeMs + slackMs);
    expect(nodes.map(({ stderrText }) => stderrText())).toEqual(nodes.map(() => ""));
  }, 120_000);
});
