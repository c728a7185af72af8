import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import {
  createLan,
  type Finished,
  type Host,
  type HostProcess,
  packetGun,
  packetTap,
} from "../../src/index.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { type AskingFlood, computedMs, flood, memoryMb, sentBy } from "./burden.ts";
import { announce, discover, type ListedNode, listen, watch } from "./command.ts";
import { watchedList } from "./watched-list.ts";
import { addBridge, ip, plug, unplug } from "./wiring.ts";

const packageFolder = fileURLToPath(new URL("../../../../packages/discovery-mdns", import.meta.url));
const done: Finished = { code: 0, signal: null, stdout: "done\n", stderr: "" };
const test = needsPeers(["python"]);

const holds =
  (...infos: readonly string[]) =>
  (nodes: readonly ListedNode[]): boolean =>
    infos.every((info) => nodes.some((node) => node.info === info));

describeNet("a flood", () => {
  for (const [from, sources] of [
    ["one address", 1],
    ["200 addresses", 200],
  ] as const) {
    test(`of 100,000 nodes from ${from} hides no real node and does not pile up`, async () => {
      await using lan = await createLan({ hosts: 5 });
      const [a, b, c, d, e] = lan.hosts;
      const announcer = await announce(a, "--port", "8000", "--info", "before", "--no-check");
      const seen = await watch(b);
      const list = watchedList(seen);
      await list.until(holds("before"));
      const startMb = memoryMb(seen.process);
      const sentBefore = await Promise.all([sentBy(a), sentBy(b)]);

      const flooding = flood(d, { kind: "nodes", count: 100_000, sources });
      await list.until((nodes) => nodes.length > 500);
      await announce(c, "--port", "8001", "--info", "during", "--no-check");
      await list.until(holds("before", "during"));
      const meanwhile = await discover(e, "--timeout", "3s");
      expect(meanwhile.listing.complete).toBe(true);
      expect(holds("before", "during")(meanwhile.listing.nodes)).toBe(true);
      expect(await flooding).toEqual(done);
      const floodedMb = memoryMb(seen.process);
      expect(floodedMb - startMb).toBeLessThan(150);

      await announce(c, "--port", "8002", "--info", "after", "--no-check");
      await list.until(holds("before", "during", "after"));
      expect(await flood(d, { kind: "nodes", count: 50_000, sources })).toEqual(done);
      expect(memoryMb(seen.process) - floodedMb).toBeLessThan(50);
      const { listing } = await discover(e, "--timeout", "3s");
      expect(listing).toMatchObject({ complete: true, warnings: [] });
      expect(listing.nodes.map(({ info }) => info).sort()).toEqual(["after", "before", "during"]);

      const busyMs = computedMs(seen.process) + computedMs(announcer);
      await delay(3_000);
      expect(computedMs(seen.process) + computedMs(announcer) - busyMs).toBeLessThan(1_500);
      const sent = await Promise.all([sentBy(a), sentBy(b)]);
      expect(sent[0] - sentBefore[0]).toBeLessThan(100);
      expect(sent[1] - sentBefore[1]).toBeLessThan(10_000);
      expect(seen.events().filter(({ type }) => type === "down")).toEqual([]);
    }, 150_000);
  }

  test("of nodes that say 8 kB each, or nothing but their names, does not pile up", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await announce(a, "--port", "8000", "--info", "real", "--no-check");
    const seen = await watch(b);
    const list = watchedList(seen);
    await list.until(holds("real"));
    const startMb = memoryMb(seen.process);
    const sentBefore = await sentBy(b);
    expect(await flood(c, { kind: "fat-nodes", count: 5_000, perSecond: 400, sources: 20 })).toEqual(done);
    expect(await flood(c, { kind: "pointers", count: 50_000, sources: 20 })).toEqual(done);
    expect(memoryMb(seen.process) - startMb).toBeLessThan(150);
    expect((await sentBy(b)) - sentBefore).toBeLessThan(10_000);
    for (const { attributes } of list.nodes()) expect(Object.keys(attributes).length).toBeLessThan(400);
    await announce(a, "--port", "8001", "--info", "later", "--no-check");
    await list.until(holds("real", "later"));
  }, 120_000);

  test("of 40,000 packets of rubbish changes nothing and is not answered", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    const announcer = await announce(a, "--port", "8000", "--info", "real", "--no-check");
    const seen = await watch(b);
    const list = watchedList(seen);
    await list.until(holds("real"));
    const startMb = [memoryMb(announcer), memoryMb(seen.process)];
    const sentBefore = await Promise.all([sentBy(a), sentBy(b)]);
    for (const kind of ["garbage", "half-garbage"] as const) {
      expect(await flood(c, { kind, count: 20_000, perSecond: 5_000, sources: 100 })).toEqual(done);
    }
    await announce(a, "--port", "8001", "--info", "later", "--no-check");
    await list.until(holds("real", "later"));
    expect(list.nodes()).toHaveLength(2);
    for (const [index, process] of [announcer, seen.process].entries()) {
      expect(memoryMb(process) - (startMb[index] ?? 0)).toBeLessThan(50);
    }
    for (const [index, host] of [a, b].entries()) {
      expect((await sentBy(host)) - (sentBefore[index] ?? 0)).toBeLessThan(100);
    }
  }, 120_000);

  describe("of 20,000 questions", () => {
    const limits: Readonly<Record<AskingFlood, number>> = {
      asks: 100,
      "endless-asks": 100,
      // At most 200 in a second, each to somebody whose MAC address has to be asked for, in vain, before.
      "direct-asks": 4_000,
      "legacy-asks": 4_000,
    };
    for (const [kind, limit] of Object.entries(limits) as readonly (readonly [AskingFlood, number])[]) {
      test(`(${kind}) is not answered by a storm`, async () => {
        await using lan = await createLan({ hosts: 3 });
        const [a, b, c] = lan.hosts;
        const announcer = await announce(a, "--port", "8000", "--info", "real", "--no-check");
        const startMb = memoryMb(announcer);
        const sentBefore = await sentBy(a);
        expect(await flood(c, { kind, count: 20_000, perSecond: 5_000, sources: 64 })).toEqual(done);
        expect(memoryMb(announcer) - startMb).toBeLessThan(80);
        expect((await sentBy(a)) - sentBefore).toBeLessThan(limit);
        const { listing } = await discover(b, "--first");
        expect(listing.nodes).toMatchObject([{ info: "real" }]);
      }, 60_000);
    }
  });
});

/** One process that does both, which the command does not. */
async function announceAndBrowse(host: Host): Promise<HostProcess> {
  const program = `
    import { createDiscovery } from "@lmserv/discovery-core";
    import { mdns } from "@lmserv/discovery-mdns";
    const discovery = await createDiscovery({ transports: [mdns()], onWarning: console.error });
    await discovery.announce({ port: 8000, info: "real" });
    for await (const { kind } of discovery.watch()) console.log(kind);`;
  const command = [process.execPath, "--input-type=module", "-e", program] as const;
  return await host.spawn(command, { cwd: packageFolder });
}

describeNet("a question from another network", () => {
  test("is not answered, by multicast with a forged source or routed to the host alone", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await addBridge(lan, "br1");
    await unplug(lan, c, "eth0");
    await plug(lan, c, { name: "eth0", address: "10.78.0.3", bridge: "br1" });
    await ip(lan.switch, "addr add 10.77.0.254/24 dev br0");
    await ip(lan.switch, "addr add 10.78.0.254/24 dev br1");
    await lan.switch.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    await ip(a, "route add default via 10.77.0.254");
    await ip(c, "route add default via 10.78.0.254");
    await listen(a, 8000);
    expect((await c.run(["bash", "-c", `exec 3<>/dev/tcp/${a.address}/8000`])).code).toBe(0);

    await using tap = await packetTap(a);
    await using gun = await packetGun(c);
    await using near = await packetGun(b);
    const question = Buffer.from(
      "000000000001000000000000075f6c6d73657276045f746370056c6f63616c00000c0001",
      "hex",
    );
    const subject = await announceAndBrowse(a);
    // Its own question, after which it takes unicast for 2 s.
    await tap.find(({ outgoing, payload }) => outgoing && payload.readUInt16BE(4) > 0);
    for (const fromPort of [5353, 40_000]) {
      await gun.fire(question, { to: a.address, fromPort });
      await tap.find(({ src, sport }) => src === "10.78.0.3" && sport === fromPort);
    }
    // Whoever asks the same here, later, is answered.
    await near.fire(question, { to: a.address, fromPort: 40_000 });
    await tap.find(({ outgoing, dst, dport }) => outgoing && dst === b.address && dport === 40_000);

    for (const kind of ["direct-asks", "legacy-asks"] as const) {
      expect(await flood(b, { kind, count: 50, sources: 50, network: "10.78.0" })).toEqual(done);
    }
    await near.fire(question, { fromPort: 40_001 });
    await tap.find(({ outgoing, dst, dport }) => outgoing && dst === b.address && dport === 40_001);
    const answers = (await tap.stop()).filter(({ outgoing, dst }) => outgoing && dst.startsWith("10.78."));
    expect(answers).toEqual([]);
    expect(subject.stderrText).toBe("");
  }, 60_000);
});
