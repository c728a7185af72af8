import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce, type ListedNode, watch } from "../command/command.ts";
import { watchedList } from "../command/watched-list.ts";
import { serve } from "./neighbors.ts";

const transportsOf = ({ sources }: ListedNode): string =>
  [...new Set(sources.map(({ transport }) => transport))].sort().join();

const isOneWithBoth = (nodes: readonly ListedNode[]): boolean =>
  nodes.length === 1 && nodes.every((node) => transportsOf(node) === "arp,mdns");

describeNet("a node that mDNS and ARP both see is one node with two sources", () => {
  describe.concurrent("when", () => {
    test("ARP saw it first", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
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
    });

    test("mDNS saw it first, and on a port that nobody would ask", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [seeker, server] = lan.hosts;
      await serve(server, "ollama", 9999);
      await announce(server, "--port", "9999", "--info", "gpu-box-01");
      const list = watchedList(await watch(seeker, "--transport", "mdns,arp"));
      await list.until(isOneWithBoth);
      expect(list.nodes()).toMatchObject([{ info: "gpu-box-01", models: ["qwen3:32b"] }]);
    });

    test("its announcement ends: it stays, as what ARP sees", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [seeker, host] = lan.hosts;
      await serve(host, "lmserv", 8000);
      const announcer = await announce(host, "--port", "8000", "--info", "gpu-box-01", "--no-check");
      const list = watchedList(await watch(seeker, "--transport", "mdns,arp"));
      await list.until(isOneWithBoth);
      announcer.kill("SIGTERM");
      await list.until((nodes) => nodes.map(transportsOf).join() === "arp");
    });
  });
});
