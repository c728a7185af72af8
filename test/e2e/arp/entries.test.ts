import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { discover, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { ip } from "../network/wiring.ts";
import { endpointsOf, serve } from "./neighbors.ts";

/** Addresses without a host. */
const dead = {
  stale: "10.77.0.101",
  permanent: "10.77.0.102",
  failed: "10.77.0.103",
  proxied: "10.77.0.104",
};
const strangerMac = "02:00:00:00:00:99";

async function forgeEntries(host: Host): Promise<void> {
  await ip(host, `neigh add ${dead.stale} lladdr ${strangerMac} dev eth0 nud stale`);
  await ip(host, `neigh add ${dead.permanent} lladdr ${strangerMac} dev eth0 nud permanent`);
  // One that fails keeps its MAC in /proc/net/arp.
  await ip(host, `neigh add ${dead.failed} lladdr ${strangerMac} dev eth0 nud reachable`);
  await ip(host, `neigh change ${dead.failed} dev eth0 nud failed`);
  await ip(host, `neigh add proxy ${dead.proxied} dev eth0`);
}

describeNet("entries of the neighbour table that lead nowhere", () => {
  test.concurrent.each([["passively"], ["in a sweep", "--sweep"]])(
    "bring no dead host, and do not keep the others from being found: %s",
    async (_, ...options) => {
      await using lan = await createLan({ hosts: 3, neighbors: "learned" });
      const [seeker, stale, permanent] = lan.hosts;
      await Promise.all([serve(stale, "lmserv", 8000), serve(permanent, "ollama", 11434)]);
      await forgeEntries(seeker);
      await ip(seeker, `neigh add ${stale.address} lladdr ${stale.mac} dev eth0 nud stale`);
      await ip(seeker, `neigh add ${permanent.address} lladdr ${permanent.mac} dev eth0 nud permanent`);
      const { code, listing } = await discover(
        seeker,
        ...["--transport", "arp", "--wait", "2", "--timeout", "60s"],
        ...options,
      );
      expect(code).toBe(0);
      expect(endpointsOf(listing)).toEqual([`${stale.address}:8000`, `${permanent.address}:11434`]);
      expect(listing.warnings).toEqual([]);
    },
  );
});

describeNet("a router that answers for every address", () => {
  test("is not asked in place of all the others, which are found; that is said", async () => {
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    const [seeker, router, server] = lan.hosts;
    await Promise.all([serve(router, "web", 8000), serve(server, "lmserv", 8000)]);
    const answerForAll = "cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 1 >conf/eth0/proxy_arp";
    expect(await router.run(["sh", "-c", answerForAll])).toMatchObject({ code: 0 });
    // A way for what it answers for: a link of its own.
    await ip(router, "link add away type veth peer name far");
    await ip(router, "link set away up");
    await ip(router, "route add 10.77.0.128/25 dev away");
    await ip(router, "route add 10.77.0.64/26 dev away");
    await ip(router, "route add 10.77.0.8/29 dev away");
    const seen = await watch(seeker, "--transport", "arp", "--sweep");
    const warning = await seen.event(({ type }) => type === "warning");
    expect(warning).toMatchObject({
      code: "arp/sweep-limited",
      message: expect.stringMatching(/one host answers for many .*proxy ARP/),
    });
    const list = watchedList(seen);
    await list.until((nodes) => nodes.length > 0);
    expect(endpointsOf({ nodes: list.nodes() })).toEqual([`${server.address}:8000`]);
  });
});
