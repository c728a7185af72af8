import { describe, expect, test } from "vitest";
import { createLan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { announce, type ListedNode, watch } from "../discovery/command.ts";
import { watchedList } from "../discovery/watched-list.ts";
import { ip } from "../discovery/wiring.ts";
import { serve } from "./neighbors.ts";

const transportsOf = ({ sources }: ListedNode): string =>
  [...new Set(sources.map(({ transport }) => transport))].sort().join();

const isOneWithBoth = (nodes: readonly ListedNode[]): boolean =>
  nodes.length === 1 && nodes.every((node) => transportsOf(node) === "arp,mdns");

describeNet("a node that mDNS and ARP both see is one node with two sources", () => {
  describe.concurrent("when", () => {
    test("ARP saw it first", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [seeker, server] = lan.hosts;
      await serve(server, "lmserv", 8000);
      const list = watchedList(await watch(seeker, "--transport", "mdns,arp", "--sweep"));
      await list.until((nodes) => nodes.length === 1);
      expect(list.nodes().map(transportsOf)).toEqual(["arp"]);
      await announce(server, "--port", "8000", "--info", "gpu-box-01");
      await list.until(isOneWithBoth);
      expect(list.nodes()).toMatchObject([
        { info: "gpu-box-01", server: "lmserv", models: ["llama-3.3-70b"] },
      ]);
    }, 40_000);

    test("mDNS saw it first, and on a port that nobody would ask", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [seeker, server] = lan.hosts;
      await serve(server, "ollama", 9999);
      await announce(server, "--port", "9999", "--info", "gpu-box-01");
      const list = watchedList(await watch(seeker, "--transport", "mdns,arp"));
      await list.until(isOneWithBoth);
      expect(list.nodes()).toMatchObject([{ info: "gpu-box-01", models: ["qwen3:32b"] }]);
    }, 40_000);

    test("its announcement ends: it stays, as what ARP sees; its server ends: it is gone", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [seeker, host] = lan.hosts;
      const server = await serve(host, "lmserv", 8000);
      const announcer = await announce(host, "--port", "8000", "--info", "gpu-box-01", "--no-check");
      const seen = await watch(seeker, "--transport", "mdns,arp");
      const list = watchedList(seen);
      await list.until(isOneWithBoth);
      announcer.kill("SIGTERM");
      await list.until((nodes) => nodes.map(transportsOf).join() === "arp");
      server.kill("SIGKILL");
      const { event } = await seen.event(
        ({ type, reason }) => type === "down" && reason === "unreachable",
        40_000,
      );
      expect(event.node?.host).toBe(host.address);
    }, 70_000);
  });
});

describeNet("a server that ARP alone sees", () => {
  test("comes and goes within half a minute each, while its neighbour stays whatever the table says", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [seeker, steady, fickle] = lan.hosts;
    await serve(steady, "ollama", 11434);
    const first = await serve(fickle, "lmserv", 8000);
    const seen = await watch(seeker, "--transport", "arp", "--sweep");
    const list = watchedList(seen);
    const hosts =
      (...all: readonly string[]) =>
      (nodes: readonly ListedNode[]) =>
        nodes
          .map(({ host }) => host)
          .sort()
          .join() === all.join();
    await list.until(hosts(steady.address, fickle.address));
    first.kill("SIGKILL");
    await list.until(hosts(steady.address), 30_000);
    await ip(seeker, "neigh flush dev eth0");
    await serve(fickle, "lmserv", 8000);
    await ip(seeker, `neigh replace ${fickle.address} lladdr ${fickle.mac} dev eth0 nud stale`);
    await list.until(hosts(steady.address, fickle.address), 40_000);
    const downs = seen.events().filter(({ type }) => type === "down");
    expect(downs).toMatchObject([{ reason: "unreachable", node: { host: fickle.address } }]);
  }, 100_000);
});
