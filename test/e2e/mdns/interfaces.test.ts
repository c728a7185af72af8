import { fileURLToPath } from "node:url";
import {
  announceOriginal,
  browseZeroconf,
  createLan,
  type Host,
  type HostProcess,
  packetTap,
  startAvahi,
} from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce, discover, type ListedNode, type Watch, watch } from "../command/command.ts";
import { infosOf, lists, watchedList } from "../command/watched-list.ts";
import { addBridge, ip, plug, unplug } from "../network/wiring.ts";

const packageFolder = fileURLToPath(new URL("../../../packages/discovery-mdns", import.meta.url));

/** The interfaces on which a node was heard. */
const heardOn = ({ sources }: ListedNode): string[] =>
  [...new Set(sources.map(({ key }) => key.split("@").at(-1) ?? ""))].sort();

/** On which interfaces each node was heard in all the time. */
function whereabouts(seen: Watch): Record<string, readonly string[]> {
  const all = seen.events().flatMap(({ node }) => node ?? []);
  return Object.fromEntries(
    infosOf(all).map((info) => {
      const names = all.filter((node) => node.info === info).flatMap(heardOn);
      return [info, [...new Set(names)].sort()];
    }),
  );
}

/** Has new IPv6 addresses checked for duplicates before they can be used, as is usual (RFC 4862). */
async function checkAddresses(host: Host): Promise<void> {
  const script = "for scope in all default; do echo 1 >/proc/sys/net/ipv6/conf/$scope/accept_dad; done";
  expect(await host.run(["sh", "-c", script])).toMatchObject({ code: 0 });
}

/** Prints the name of each answer that multicast-dns, as people use it, hears. */
async function bareListener(host: Host): Promise<HostProcess> {
  const program = `
    const mdns = require("multicast-dns")({ interface: process.argv[1], bind: "224.0.0.251" });
    mdns.on("response", ({ answers }) => { for (const { data } of answers) console.log(data); });
    mdns.on("warning", () => {});
    mdns.on("ready", () => console.log("ready"));`;
  const listener = await host.spawn([process.execPath, "-e", program, host.address], { cwd: packageFolder });
  await listener.line((line) => line === "ready");
  return listener;
}

describeNet("an interface", () => {
  describe.concurrent("under a running announcer and browser", () => {
    test("is used when it comes", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      for (const host of [a, b]) {
        await unplug(lan, host, "eth0");
        await checkAddresses(host);
      }
      const announcer = await announce(a, "--port", "8000", "--info", "a", "--no-check");
      const seen = await watch(b);
      const list = watchedList(seen);
      await plug(lan, b, { name: "wlan0", address: b.address });
      await plug(lan, a, { name: "wlan0", address: a.address });
      await list.until(lists("a"));
      expect(list.nodes()).toMatchObject([{ host: a.address }]);
      expect(seen.process.stdoutText + announcer.stderrText).not.toMatch(/cannot send|SEND_FAILED/);
    });

    test("changes its address: the node is updated, never down, and the old address is not listed", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await announce(a, "--port", "8000", "--info", "a", "--no-check");
      const seen = await watch(b);
      const list = watchedList(seen);
      await list.until(lists("a"));
      await ip(a, `addr del ${a.address}/24 dev eth0`);
      await ip(a, "addr add 10.77.0.100/24 brd + dev eth0");
      const isMoved = ([node]: readonly ListedNode[]): boolean =>
        node?.host === "10.77.0.100" && !node.addresses.includes(a.address);
      await list.until(isMoved);
      expect(seen.events().filter(({ type }) => type === "down")).toEqual([]);

      await ip(b, `addr del ${b.address}/24 dev eth0`);
      await ip(b, "addr add 10.77.0.200/24 brd + dev eth0");
      await announce(a, "--port", "8001", "--info", "b", "--no-check");
      await list.until(lists("a", "b"));
      expect(seen.events().filter(({ type }) => type === "down")).toEqual([]);
    });

    test("loses the carrier and gets it back, at the browser and at the announcer", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await announce(a, "--port", "8000", "--info", "a", "--no-check");
      const seen = await watch(b);
      const list = watchedList(seen);
      await list.until(lists("a"));
      await b.cut();
      await seen.event(({ type }) => type === "lost");
      await b.heal();
      await seen.event(({ type }) => type === "recovered");

      const ups = seen.events().length;
      await a.cut();
      await a.heal();
      await announce(a, "--port", "8001", "--info", "b", "--no-check");
      await list.until(lists("a", "b"));
      const news = seen.events().slice(ups);
      expect(news.filter(({ type }) => type === "down")).toEqual([]);
    });

    needsPeers(["python"])(
      "is made anew with the same address, which deafens bare multicast-dns",
      async () => {
        await using lan = await createLan({ hosts: 3 });
        const [a, b, c] = lan.hosts;
        const bare = await bareListener(c);
        const list = watchedList(await watch(b));
        await announce(b, "--port", "8000", "--info", "b", "--no-check");
        await announce(a, "--port", "8000", "--info", "a", "--no-check");
        await list.until(lists("a", "b"));
        await bare.line((line) => line.startsWith("a-"));

        for (const host of [b, c]) {
          await unplug(lan, host, "eth0");
          await plug(lan, host, { name: "eth0", address: host.address, mac: host.mac });
        }
        await announce(a, "--port", "8001", "--info", "later", "--no-check");
        await list.until(lists("a", "b", "later"));
        const there = watchedList(await watch(a));
        await there.until(lists("a", "b", "later"));
        expect(bare.lines.filter((line) => line.startsWith("later-"))).toEqual([]);
      },
    );
  });

  describe.concurrent("beside another one", () => {
    needsPeers(["python", "python-zeroconf"])(
      "on the same LAN makes no second node and no conflict",
      async () => {
        await using lan = await createLan({ hosts: 3 });
        const [a, b, c] = lan.hosts;
        await plug(lan, a, { name: "wlan0", address: "10.77.0.101" });
        await plug(lan, b, { name: "wlan0", address: "10.77.0.102" });
        const announcer = await announce(
          a,
          "--port",
          "8000",
          "--info",
          "a",
          "--no-check",
          "--name",
          "chosen",
        );
        await announceOriginal(a, { name: "original", info: "original", port: 9000 });
        await announceOriginal(c, { name: "elsewhere", info: "elsewhere" });
        const seen = await watch(b);
        const list = watchedList(seen);
        await list.until(lists("a", "elsewhere", "original"));
        const isEverywhere = (nodes: readonly ListedNode[]): boolean =>
          nodes.every((node) => heardOn(node).join() === "eth0,wlan0");
        await list.until(isEverywhere);
        const byInfo = new Map(list.nodes().map((node) => [node.info, node]));
        expect(byInfo.get("a")?.addresses.slice(0, 2).sort()).toEqual(["10.77.0.1", "10.77.0.101"]);
        expect(byInfo.get("original")).toMatchObject({ host: a.address });
        expect(byInfo.get("elsewhere")).toMatchObject({ host: c.address });

        await unplug(lan, a, "wlan0");
        const isPlain = (nodes: readonly ListedNode[]): boolean =>
          nodes.some(
            ({ info, host, addresses }) =>
              info === "a" && host === a.address && !addresses.includes("10.77.0.101"),
          );
        await list.until(isPlain);
        await unplug(lan, b, "wlan0");
        const isOnOne = (nodes: readonly ListedNode[]): boolean =>
          nodes.every((node) => heardOn(node).join() === "eth0");
        await list.until(isOnOne);
        expect(infosOf(list.nodes())).toEqual(["a", "elsewhere", "original"]);
        expect(seen.events().filter(({ type }) => type === "down" || type === "warning")).toEqual([]);
        expect(announcer.stderrText).not.toContain("another node is named");
      },
    );

    needsPeers(["avahi", "python-zeroconf"])(
      "on another LAN hears its own LAN only, also where others have joined both",
      async () => {
        await using lan = await createLan({ hosts: 3 });
        const [a, b, c] = lan.hosts;
        await addBridge(lan, "br1");
        await plug(lan, a, { name: "lan1", address: "10.78.0.1", bridge: "br1" });
        await unplug(lan, c, "eth0");
        await plug(lan, c, { name: "eth0", address: "10.78.0.3", bridge: "br1" });
        await startAvahi(a);
        const everywhere = await browseZeroconf(a);
        await announce(b, "--port", "8000", "--info", "one", "--no-check");
        await announce(c, "--port", "8000", "--info", "two", "--no-check");
        const announcers = [
          await announceOriginal(b, { name: "python-1", info: "python-1", port: 9000 }),
          await announceOriginal(c, { name: "python-2", info: "python-2", port: 9000, address: "10.78.0.3" }),
        ];
        const all = ["one", "python-1", "python-2", "two"];
        for (const info of all) await everywhere.find(({ properties }) => properties.info === info);
        const seen = await watch(a);
        const list = watchedList(seen);
        await list.until(lists(...all));
        await announce(a, "--port", "8000", "--info", "mine", "--no-check");
        for (const announcer of announcers) await announcer.goodbye();
        await list.until(lists("mine", "one", "two"));
        expect(whereabouts(seen)).toEqual({
          mine: ["eth0", "lan1"],
          one: ["eth0"],
          two: ["lan1"],
          "python-1": ["eth0"],
          "python-2": ["lan1"],
        });
        for (const [host, own] of [
          [b, a.address],
          [c, "10.78.0.1"],
        ] as const) {
          const { listing } = await discover(host, "--wait", "2", "--timeout", "60s");
          const mine = listing.nodes.find(({ info }) => info === "mine");
          expect(mine).toMatchObject({ host: own });
          expect(mine?.addresses.filter((address) => address.includes("."))).toEqual([own]);
        }
      },
    );

    needsPeers(["python"])("that leads to guests only is left out unless it is named", async () => {
      await using lan = await createLan({ hosts: 1 });
      const [a] = lan.hosts;
      const guests = ["docker0", "br-0123456789ab", "virbr0", "veth0a1b2c3", "tun0"];
      for (const [index, name] of guests.entries()) {
        await ip(a, `link add ${name} type veth peer name guest${index}`);
        await ip(a, `addr add 172.${17 + index}.0.1/16 dev ${name}`);
        await ip(a, `link set guest${index} addrgenmode none up`);
        await ip(a, `link set ${name} up`);
      }
      const taps = await Promise.all(guests.map((name) => packetTap({ ...a, interface: name })));
      const seen = await watch(a);
      expect(await seen.event(({ type }) => type === "warning")).toMatchObject({
        code: "NO_ANSWER",
        message: expect.stringContaining("on eth0 (10.77.0.1): "),
      });
      seen.process.kill("SIGKILL");
      await announce(a, "--port", "8000", "--info", "a", "--no-check");
      await announce(a, "--port", "8001", "--info", "named", "--no-check", "--interface", "docker0");
      await taps[0]?.find(({ payload }) => payload.includes("named-"));
      const [docker, ...others] = await Promise.all(taps.map((tap) => tap.stop()));
      expect(docker?.filter(({ payload }) => !payload.includes("named-"))).toEqual([]);
      expect(others).toEqual([[], [], [], []]);
    });
  });

  test("is one of 26, more than a socket can shut out", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    await addBridge(lan, "br1");
    const lines = Array.from({ length: 24 }, (_, index) => [
      `link add nic${index} type veth peer name end${index}`,
      `addr add 10.80.${index}.1/24 dev nic${index}`,
      `link set end${index} addrgenmode none up`,
      `link set nic${index} up`,
    ]);
    await a.run(["ip", "-batch", "-"], { input: lines.flat().join("\n") });
    await plug(lan, a, { name: "lan1", address: "10.78.0.1", bridge: "br1" });
    await unplug(lan, c, "eth0");
    await plug(lan, c, { name: "eth0", address: "10.78.0.3", bridge: "br1" });
    await Promise.all([
      announce(b, "--port", "8000", "--info", "one", "--no-check"),
      announce(c, "--port", "8000", "--info", "two", "--no-check"),
      announce(a, "--port", "8000", "--info", "mine", "--no-check"),
    ]);
    const seen = await watch(a);
    await watchedList(seen).until(lists("mine", "one", "two"));
    const there = await Promise.all([watch(b), watch(c)]);
    const [atB, atC] = there.map((one) => watchedList(one));
    await atB?.until(lists("mine", "one"));
    await atC?.until(lists("mine", "two"));
    const hostsOf = (nodes: readonly ListedNode[] = []): string[] =>
      nodes.flatMap(({ info, host }) => (info === "mine" ? [host] : []));
    expect([hostsOf(atB?.nodes()), hostsOf(atC?.nodes())]).toEqual([[a.address], ["10.78.0.1"]]);
    expect(whereabouts(seen)).toMatchObject({ one: ["eth0"], two: ["lan1"] });
    expect(seen.events().filter(({ type }) => type === "warning")).toEqual([]);
  });
});
