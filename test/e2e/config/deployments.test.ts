import { join } from "node:path";
import { createLan, type Lan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { moveBehind } from "../mesh/subnets.ts";
import { announceServer, deploy, watchFrom } from "./deployment.ts";

interface Network {
  readonly name: string;
  readonly config: object;
  /** Sets up the kind of network. */
  readonly arrange: (lan: Lan<5>) => Promise<unknown>;
  /** Transport that hears of the servers. */
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

describeNet("one command, with a configuration file for each network, finds the same servers", () => {
  describe.concurrent("on a network", () => {
    test.each(networks)("$name", async ({ config, arrange, heardOver }) => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 5, neighbors: "learned" });
      const deployment = await deploy(join(folder.path, "site"), config);
      await arrange(lan);
      const [, seeker, ...servers] = lan.hosts;
      await Promise.all(servers.map((host) => announceServer(host, deployment)));
      const list = watchedList(await watchFrom(seeker, deployment));
      await list.until(lists(...servers.map(({ name }) => name)));
      const over = list.nodes().flatMap(({ sources }) => sources.map(({ transport }) => transport));
      expect(new Set(over)).toEqual(new Set([heardOver]));
    });
  });
});

describeNet("with the preset office", () => {
  test("nobody is asked where mDNS answers, and everybody where it does not", async () => {
    await using folder = await temporaryFolder();
    await using lan = await createLan({ hosts: 3, neighbors: "learned" });
    // A busy machine's answers may come later than the usual silence.
    const patient = { preset: "office", transports: { arp: { after: "1h" } } };
    const [site, patientSite] = await Promise.all([
      deploy(join(folder.path, "site"), { preset: "office" }),
      deploy(join(folder.path, "patient"), patient),
    ]);
    const [seeker, server] = lan.hosts;
    await announceServer(server, site);
    await lan.filter("count", "ip protocol { tcp, udp } th dport != 5353 counter");
    const counted = async (): Promise<number> => {
      const { stdout } = await lan.switch.run(["nft", "list", "table", "bridge", "count"]);
      return Number(/packets (\d+)/.exec(stdout)?.[1]);
    };

    const quiet = await watchFrom(seeker, patientSite);
    await watchedList(quiet).until(lists(server.name));
    expect(quiet.events().filter(({ type }) => type === "warning")).toEqual([]);
    expect(await counted()).toBe(0);
    quiet.process.kill("SIGKILL");
    await quiet.process.exited;

    await lan.dropMulticast(true);
    const swept = await watchFrom(seeker, site);
    await swept.event(({ code }) => code === "STANDBY_RUNS");
    await watchedList(swept).until(lists(server.name));
    expect(await counted()).toBeGreaterThan(0);
  });
});
