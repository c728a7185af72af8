import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createLan, type Lan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import type { Listing } from "../discovery/command.ts";
import { moveBehind } from "../mesh/subnets.ts";
import { temporaryFolder } from "../mesh/temporary-folder.ts";
import { announceServer, deploy, discoverFrom } from "./deployment.ts";

interface Network {
  readonly name: string;
  readonly config: object;
  /** What kind of network it is. */
  readonly arrange: (lan: Lan<5>) => Promise<unknown>;
  /** What hears of the servers. */
  readonly heardOver: string;
}

const seeds = ["ws://10.77.0.3:7946"];

const networks: readonly Network[] = [
  {
    name: "where multicast works",
    config: { preset: "lan" },
    arrange: async () => {},
    heardOver: "mdns",
  },
  {
    name: "where multicast is dropped",
    config: { preset: "office" },
    arrange: (lan) => lan.dropMulticast(true),
    heardOver: "arp",
  },
  {
    name: "of two subnets, routed",
    config: { preset: "cloud", transports: { mesh: { keyFile: "mesh.key", seeds } } },
    arrange: (lan) => moveBehind(lan, lan.hosts[0], lan.hosts.slice(3)),
    heardOver: "mesh",
  },
];

function namesOf({ nodes }: Listing): readonly string[] {
  return nodes.map(({ info }) => info).sort();
}

describeNet("one command, with a configuration file for each network, finds the same servers", () => {
  describe.concurrent("on a network", () => {
    test.each(networks)("$name", async ({ config, arrange, heardOver }) => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 5, neighbors: "learned" });
      const deployment = await deploy(join(folder.path, "site"), config);
      await arrange(lan);
      const [, seeker, ...servers] = lan.hosts;
      await Promise.all(servers.map((host) => announceServer(host, deployment)));
      const { code, listing } = await discoverFrom(seeker, deployment, "--wait", "3", "--timeout", "60s");
      expect(code).toBe(0);
      expect(namesOf(listing)).toEqual(servers.map(({ name }) => name));
      const over = listing.nodes.flatMap(({ sources }) => sources.map(({ transport }) => transport));
      expect(new Set(over)).toEqual(new Set([heardOver]));
    });
  });
});

describeNet("with the preset office", () => {
  test("nobody is asked where mDNS answers, and everybody where it does not", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    const deployment = await deploy(folder.path, { preset: "office" });
    const [seeker, server] = lan.hosts;
    await announceServer(server, deployment);
    await lan.filter("count", "ip protocol { tcp, udp } th dport != 5353 counter");
    const counted = async (): Promise<number> => {
      const { stdout } = await lan.switch.run(["nft", "list", "table", "bridge", "count"]);
      return Number(/packets (\d+)/.exec(stdout)?.[1]);
    };

    const quiet = await discoverFrom(seeker, deployment, "--first", "--timeout", "60s");
    expect(namesOf(quiet.listing)).toEqual([server.name]);
    expect(quiet.listing.warnings).toEqual([]);
    expect(await counted()).toBe(0);

    await lan.dropMulticast(true);
    const swept = await discoverFrom(seeker, deployment, "--first", "--timeout", "60s");
    expect(namesOf(swept.listing)).toEqual([server.name]);
    expect(swept.listing.warnings.map(({ code }) => code)).toContain("STANDBY_RUNS");
    expect(await counted()).toBeGreaterThan(0);
  });
});
