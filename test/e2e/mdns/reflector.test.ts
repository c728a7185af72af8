import { announceOriginal, createLan, startAvahi } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { announce, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { addBridge, ip, plug, unplug } from "../network/wiring.ts";

describeNet("a router that passes mDNS on between two LANs", () => {
  needsPeers(["avahi", "python-zeroconf"])(
    "is not taken for the nodes behind it, with an identity or without",
    async () => {
      await using lan = await createLan({ hosts: 4 });
      const [here, router, original, ours] = lan.hosts;
      await addBridge(lan, "br1");
      await plug(lan, router, { name: "eth1", address: "10.78.0.254", bridge: "br1" });
      await router.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
      const there = [original, ours].map((host, index) => ({ host, address: `10.78.0.${index + 3}` }));
      for (const { host, address } of there) {
        await unplug(lan, host, "eth0");
        await plug(lan, host, { name: "eth0", address, bridge: "br1" });
        await ip(host, "route add default via 10.78.0.254");
      }
      await ip(here, `route add 10.78.0.0/24 via ${router.address}`);
      await startAvahi(router, ["eth0", "eth1"]);
      const seen = await watch(here);
      await announceOriginal(original, { info: "original", address: "10.78.0.3" });
      await announce(ours, "--port", "8000", "--info", "ours", "--no-check");
      const list = watchedList(seen);
      await list.until(lists("original", "ours"));
      const hosts = list.nodes().map(({ info, host }) => [info, host]);
      expect(Object.fromEntries(hosts)).toEqual({ original: "10.78.0.3", ours: "10.78.0.4" });
    },
  );
});
