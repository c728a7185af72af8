import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce, discover, type ListedNode, lmserv, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { ip } from "../network/wiring.ts";
import { endpointsOf, nodesOf, serve, transportsOf } from "./neighbors.ts";

const sweep = ["--transport", "mdns,arp", "--sweep"] as const;

describeNet("a sweep of a LAN without multicast", () => {
  describe.concurrent("finds", () => {
    test("exactly the LLM servers of ten hosts, with what they are", async () => {
      await using lan = await createLan({ hosts: 10, neighbors: "learned" });
      const [seeker, lmserv, ollama, document, web, mute, ...idle] = lan.hosts;
      await lan.dropMulticast(true);
      await Promise.all([
        serve(lmserv, "lmserv", 8000),
        serve(ollama, "ollama", 11434),
        serve(document, "document", 8741),
        serve(web, "web", 8080),
        serve(mute, "mute", 8000),
      ]);
      const list = watchedList(await watch(seeker, ...sweep));
      const isKnown = (nodes: readonly ListedNode[]): boolean =>
        nodes.length === 3 && nodesOf({ nodes }).every(({ models }) => models.length > 0);
      await list.until(isKnown);
      expect(nodesOf({ nodes: list.nodes() }).toSorted((a, b) => a.host.localeCompare(b.host))).toMatchObject(
        [
          { host: lmserv.address, port: 8000, server: "lmserv", models: ["llama-3.3-70b"], info: "" },
          { host: ollama.address, port: 11434, server: "ollama", models: ["qwen3:32b"], info: "" },
          {
            id: "box-with-document",
            host: document.address,
            port: 8000,
            server: "vllm",
            models: ["mistral-small"],
            info: "gpu-box-03",
            url: `http://${document.address}:8000/v1/chat/completions`,
          },
        ],
      );
      const neighbors = await seeker.run(["ip", "neigh", "show", "nud", "reachable"]);
      for (const host of [web, mute, ...idle]) expect(neighbors.stdout).toContain(host.address);
    });

    test("a server on the only port that it is told to ask", async () => {
      await using lan = await createLan({ hosts: 3, neighbors: "learned" });
      const [seeker, a, b] = lan.hosts;
      await lan.dropMulticast(true);
      await Promise.all([serve(a, "lmserv", 8000), serve(b, "ollama", 9999)]);
      const { listing } = await discover(
        seeker,
        ...sweep,
        "--ports",
        "9999,9998",
        "--first",
        "--timeout",
        "60s",
      );
      expect(endpointsOf(listing)).toEqual([`${b.address}:9999`]);
    });

    test("what the command that the warning shows finds", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [seeker, server] = lan.hosts;
      await lan.dropMulticast(true);
      await serve(server, "lmserv", 8000);
      const seen = await watch(seeker);
      const { message = "" } = await seen.event(({ type }) => type === "warning");
      const [, shown = ""] = /: lmserv (discover .*--sweep)$/.exec(message) ?? [];
      const { stdout } = await seeker.run(
        lmserv(...shown.split(" "), "--json", "--first", "--timeout", "60s"),
      );
      expect(endpointsOf(JSON.parse(stdout))).toEqual([`${server.address}:8000`]);
    });
  });

  test("sends nothing but ARP and, with a hop limit of 1, empty datagrams to the discard port", async () => {
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [seeker, server] = lan.hosts;
    await serve(server, "lmserv", 8000);
    await lan.filter(
      "count",
      `ether type arp counter
       udp dport 9 ip ttl 1 udp length 8 counter
       udp dport 9 counter
       ip protocol udp udp dport != 9 counter`,
    );
    await discover(seeker, "--transport", "arp", "--sweep", "--first", "--timeout", "60s");
    const { stdout } = await lan.switch.run(["nft", "list", "table", "bridge", "count"]);
    const [arp = 0, valid, datagrams, others] = [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) =>
      Number(count),
    );
    expect(arp).toBeGreaterThanOrEqual(2);
    // Only what is resolved is sent at all: one host.
    expect({ valid, datagrams, others }).toEqual({ valid: 1, datagrams: 1, others: 0 });
  });
});

describeNet("without --sweep", () => {
  describe.concurrent("among neighbours", () => {
    test("only known neighbours are asked, and nobody by ARP", async () => {
      await using lan = await createLan({ hosts: 4, neighbors: "learned" });
      const [seeker, known, unknown] = lan.hosts;
      await Promise.all([serve(known, "lmserv", 8000), serve(unknown, "lmserv", 8000)]);
      await seeker.run([
        "ip",
        "neigh",
        "add",
        known.address,
        "lladdr",
        known.mac,
        "dev",
        "eth0",
        "nud",
        "reachable",
      ]);
      const { listing } = await discover(seeker, "--transport", "arp", "--first", "--timeout", "60s");
      expect(endpointsOf(listing)).toEqual([`${known.address}:8000`]);
      const { stdout } = await seeker.run(["ip", "neigh"]);
      expect(stdout).not.toContain(unknown.address);
    });

    test("a neighbour that has an IPv6 address only is found there, one that has both is listed once", async () => {
      await using lan = await createLan({ hosts: 3, neighbors: "learned" });
      const [seeker, ipv6, both] = lan.hosts;
      await Promise.all([serve(ipv6, "lmserv", 8000), serve(both, "lmserv", 8000)]);
      for (const { address, mac } of [
        { address: ipv6.linkLocal, mac: ipv6.mac },
        { address: both.linkLocal, mac: both.mac },
        { address: both.address, mac: both.mac },
      ]) {
        await ip(seeker, `neigh add ${address} lladdr ${mac} dev eth0 nud reachable`);
      }
      const { listing } = await discover(seeker, "--transport", "arp", "--wait", "2", "--timeout", "60s");
      expect(endpointsOf(listing)).toEqual([`${both.address}:8000`, `${ipv6.linkLocal}%eth0:8000`]);
    });

    test("that nobody is known is said, with the command that asks everybody", async () => {
      await using lan = await createLan({ hosts: 1, neighbors: "learned" });
      const seen = await watch(lan.hosts[0], "--transport", "arp");
      expect(await seen.event(({ type }) => type === "warning")).toMatchObject({
        code: "NO_ANSWER",
        message: expect.stringMatching(/no neighbour is known.*--transport arp --sweep$/),
      });
    });
  });
});

describeNet("a node that mDNS and ARP both see is one node with two sources", () => {
  describe.concurrent("whichever comes first:", () => {
    test("both at once", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [seeker, server] = lan.hosts;
      await serve(server, "lmserv", 8000);
      await announce(server, "--port", "8000", "--info", "gpu-box-01");
      const list = watchedList(await watch(seeker, ...sweep));
      await list.until((nodes) => transportsOf({ nodes })[`${server.address}:8000`]?.join() === "arp,mdns");
      expect(list.nodes()).toMatchObject([
        { info: "gpu-box-01", server: "lmserv", models: ["llama-3.3-70b"] },
      ]);
    });
  });
});
