import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess, startAvahi } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce, discover, type ListedNode, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { ip } from "../network/wiring.ts";

const script = fileURLToPath(new URL("./zeroconf-ipv6.py", import.meta.url));

/** Announces the host's address with python-zeroconf over IPv6 alone, and browses. */
async function zeroconfOverIPv6(host: Host, address: string, info: string): Promise<HostProcess> {
  const zeroconf = await host.spawn(["/usr/bin/python3", script, address, info]);
  await zeroconf.line((line) => line === "ready");
  return zeroconf;
}

const byInfo = (nodes: readonly ListedNode[]): ReadonlyMap<string, ListedNode> =>
  new Map(nodes.map((node) => [node.info, node]));

describeNet("families", () => {
  describe.concurrent("on a LAN of theirs", () => {
    needsPeers(["avahi", "python-zeroconf"])(
      "IPv6 alone: ours, avahi's and python-zeroconf's find each other",
      async () => {
        await using lan = await createLan({ hosts: 4 });
        const [a, b, c, d] = lan.hosts;
        for (const host of lan.hosts) await ip(host, "-4 addr flush dev eth0");
        await ip(c, "addr add fd00:77::3/64 dev eth0 nodad");
        await ip(d, "addr add fd00:77::4/64 dev eth0 nodad");
        const avahi = await startAvahi(c);
        await avahi.publish({ name: "avahi", port: 11_434, txt: ["info=avahi"] });
        const zeroconf = await zeroconfOverIPv6(d, "fd00:77::4", "python");
        await announce(a, "--port", "8000", "--info", "ours", "--no-check");

        const { code, listing } = await discover(b, "--wait", "3", "--timeout", "60s");
        expect(code).toBe(0);
        expect(listing.warnings).toEqual([]);
        const found = byInfo(listing.nodes);
        expect([...found.keys()].sort()).toEqual(["avahi", "ours", "python"]);
        const scoped = `${a.linkLocal}%eth0`;
        expect(found.get("ours")).toMatchObject({ host: scoped, addresses: [scoped], url: null });
        expect(found.get("avahi")).toMatchObject({ url: "http://[fd00:77::3]:11434/chat" });
        expect(found.get("python")).toMatchObject({
          id: "[fd00:77::4]:9000",
          url: "http://[fd00:77::4]:9000/chat",
        });

        const seen = (await avahi.browse()).flatMap(({ txt }) => txt);
        expect(seen).toEqual(expect.arrayContaining(["info=ours", "info=python"]));
        await zeroconf.line((line) => line === `found ours ${a.linkLocal}`);
      },
    );

    needsPeers(["avahi"])("both: a node is one, and its IPv4 address comes first", async () => {
      await using lan = await createLan({ hosts: 3 });
      const [a, b, c] = lan.hosts;
      for (const [index, host] of lan.hosts.entries()) {
        await ip(host, `addr add fd00:77::${index + 1}/64 dev eth0 nodad`);
      }
      await ip(c, "addr del fd00:77::3/64 dev eth0");
      const [avahi] = await Promise.all([
        startAvahi(c),
        announce(a, "--port", "8000", "--info", "ours", "--path", "/chat", "--no-check"),
      ]);
      await avahi.publish({ name: "avahi", port: 11_434, txt: ["info=avahi"] });
      const seen = await watch(b);
      const list = watchedList(seen);
      const isWhole = (nodes: readonly ListedNode[]): boolean =>
        lists("avahi", "ours")(nodes) && nodes.every(({ addresses }) => addresses.length > 1);
      await list.until(isWhole);
      const found = byInfo(list.nodes());
      expect(found.get("ours")).toMatchObject({
        host: a.address,
        addresses: [a.address, "fd00:77::1", `${a.linkLocal}%eth0`],
        url: `http://${a.address}:8000/chat`,
      });
      expect(found.get("avahi")).toMatchObject({
        id: `${c.address}:11434`,
        host: c.address,
        addresses: [c.address, `${c.linkLocal}%eth0`],
      });
      expect(seen.events().filter(({ type }) => type === "up")).toHaveLength(2);
      expect(seen.events().filter(({ type }) => type === "down" || type === "warning")).toEqual([]);

      const later = await discover(b, "--wait", "2", "--timeout", "60s");
      expect(later.listing.nodes.map(({ host }) => host).sort()).toEqual([a.address, c.address]);
    });

    test("both, but no multicast over IPv4: found over IPv6", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await lan.filter("ipv4", "ip daddr 224.0.0.251 drop");
      await announce(a, "--port", "8000", "--info", "ours", "--no-check");
      const seen = await watch(b);
      const list = watchedList(seen);
      await list.until((nodes) => nodes.some(({ addresses }) => addresses.length > 1));
      expect(list.nodes()).toMatchObject([
        { info: "ours", host: a.address, addresses: [a.address, `${a.linkLocal}%eth0`] },
      ]);
      expect(seen.events().filter(({ type }) => type === "warning")).toEqual([]);
    });

    test("both, but no multicast over IPv6: found over IPv4", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await lan.filter("ipv6", "ip6 daddr ff02::fb drop");
      await announce(a, "--port", "8000", "--info", "ours", "--no-check");
      const list = watchedList(await watch(b));
      await list.until((nodes) => nodes.some(({ addresses }) => addresses.length > 1));
      expect(list.nodes()).toMatchObject([
        { info: "ours", host: a.address, addresses: [a.address, `${a.linkLocal}%eth0`] },
      ]);
    });
  });
});
