import type { NodeInfo } from "@lmserv/discovery-core";
import { type Observation, Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { type ArpOptions, arpOn } from "../src/transport.ts";
import { type Browse, browseOn } from "./browse.ts";
import { heard } from "./heard.ts";
import { info } from "./lan.ts";
import { identification, VirtualLan } from "./virtual-lan.ts";

let clock: VirtualClock;
let lan: VirtualLan;

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
});

function browse(options?: ArpOptions, nodes?: () => readonly NodeInfo[]): Promise<Browse> {
  return browseOn(lan, clock, options, nodes);
}

/** Registry after a report of mDNS about one node. */
function heardByMdns(address: string, port: number): Registry {
  const registry = new Registry();
  registry.apply(heard("box", address, port), 0);
  return registry;
}

describe("a host that others name", () => {
  it("a thousand times is asked at a handful of ports in ten seconds, and ever more seldom", async () => {
    lan.add("10.0.0.2", { known: false });
    const registry = new Registry();
    for (let n = 0; n < 1_000; n += 1)
      registry.apply(heard(`claim-${n}`, "10.0.0.2", 9_000 + n, { origin: `10.0.9.${n % 250}` }), 0);
    expect(registry.listAlive()).toHaveLength(1_000);
    await browse({}, () => registry.listAlive());
    const named = (): number => lan.looks.filter(({ port }) => port >= 9_000).length;
    await clock.advance(10_000);
    expect(named()).toBe(4);
    await clock.advance(3_600_000);
    expect(named()).toBeLessThanOrEqual(20);
  });

  it("for each of its servers is asked at all of them", async () => {
    const host = lan.add("10.0.0.2", { known: false });
    const registry = new Registry();
    for (let n = 0; n < 20; n += 1) {
      host.servers.set(9_000 + n, identification(9_000 + n));
      registry.apply(heard(`box-${n}`, "10.0.0.2", 9_000 + n), 0);
    }
    const { of } = await browse({}, () => registry.listAlive());
    await clock.advance(30_000);
    const keys = of("alive").flatMap((seen) => (seen.kind === "alive" ? [seen.key] : []));
    expect(new Set(keys).size).toBe(20);
  });

  it("is not asked where members merely pass on what they heard", async () => {
    const host = lan.add("10.0.0.2", { known: false });
    host.servers.set(9_000, identification(9_000));
    const registry = new Registry();
    registry.apply(heard("box", "10.0.0.2", 9_000, { via: "mesh", relayed: true }), 0);
    await browse({}, () => registry.listAlive());
    await clock.advance(600_000);
    expect(lan.looks).toEqual([]);
    registry.apply(
      heard("box", "10.0.0.2", 9_000, { via: "mesh", relayed: false, heardMs: clock.now() }),
      clock.now(),
    );
    await clock.advance(60_000);
    expect(lan.looks.length).toBeGreaterThan(0);
  });
});

describe("a neighbour", () => {
  it("that is new is asked within a second at first, and within ten later", async () => {
    const { of } = await browse();
    await clock.advance(2_000);
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    await clock.advance(1_100);
    expect(of("alive")).toHaveLength(1);
    await clock.advance(300_000);
    lan.add("10.0.0.3").servers.set(8_000, identification(8_000));
    await clock.advance(10_100);
    expect(of("alive").some((seen) => seen.kind === "alive" && seen.key === "10.0.0.3:8000")).toBe(true);
  });

  it("that is no server is asked ever more seldom", async () => {
    lan.add("10.0.0.2");
    await browse();
    await clock.advance(3_600_000);
    expect(lan.looks.length).toBeGreaterThan(12);
    expect(lan.looks.length).toBeLessThan(20);
  });

  it("that is only slow is asked once more, with patience", async () => {
    lan.add("10.0.0.2").up = false;
    await browse();
    await clock.advance(2_000);
    expect(lan.looks.map(({ patient }) => patient)).toEqual([false, true]);
  });

  it.each([
    ["outside this machine's subnets", "192.168.7.7"],
    ["that is this machine", "10.0.0.1"],
  ])("%s is not asked", async (_, address) => {
    lan.add(address);
    await browse();
    await clock.advance(10_000);
    expect(lan.looks).toEqual([]);
  });

  it("that is excluded is not asked", async () => {
    lan.add("10.0.0.7");
    await browse({ exclude: ["10.0.0.4/30"] });
    await clock.advance(10_000);
    expect(lan.looks).toEqual([]);
  });

  it("on a public network is asked only if that is named", async () => {
    lan.interfaces = { eth0: [info("198.51.100.7/24")] };
    lan.add("198.51.100.8");
    const unnamed = await browse();
    await clock.advance(5_000);
    expect(lan.looks).toEqual([]);
    await unnamed.session[Symbol.asyncDispose]();
    await browse({ interfaces: ["eth0"] });
    await clock.advance(5_000);
    expect(lan.looks).not.toEqual([]);
  });

  it("is asked at the address that it gave itself on a cable without a router", async () => {
    lan.interfaces = { eth0: [info("169.254.9.1/16")] };
    lan.add("169.254.9.4").servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(3_000);
    const addresses = [{ address: "169.254.9.4", reach: "source" }];
    expect(of("alive")[0]).toMatchObject({ node: { addresses } });
  });

  it("is asked with few others at the same time, however many there are", async () => {
    for (let last = 2; last < 250; last += 1) lan.add(`10.0.0.${last}`);
    await browse({ ports: [8_000, 8_001] });
    await clock.advance(0.5);
    expect(lan.looks.length).toBe(256);
  });
});

describe("a machine with both families", () => {
  const addTwin = (known: boolean) => {
    const host = lan.add("10.0.0.2", { known });
    host.servers.set(8_000, identification(8_000));
    lan.addOverIPv6("fe80::2", host);
  };
  const listOf = (seen: readonly Observation[]) => {
    const registry = new Registry();
    const changes = seen.flatMap((observation) => registry.apply(observation, clock.now()));
    return { hosts: registry.listAlive().map(({ host }) => host), changes };
  };

  it("is asked over IPv4 alone", async () => {
    addTwin(true);
    const { seen } = await browse();
    await clock.advance(60_000);
    expect(listOf(seen).hosts).toEqual(["10.0.0.2"]);
    expect(lan.looks.filter(({ host }) => host.startsWith("fe80"))).toEqual([]);
  });

  it("is asked over IPv4 alone where another transport tells its address", async () => {
    addTwin(false);
    const registry = heardByMdns("10.0.0.2", 8_000);
    await browse({}, () => registry.listAlive());
    await clock.advance(5_000);
    expect(new Set(lan.looks.map(({ host }) => host))).toEqual(new Set(["10.0.0.2"]));
  });

  it("is listed once, and never missed, when its IPv4 address becomes known later", async () => {
    addTwin(false);
    const { seen } = await browse();
    await clock.advance(2_000);
    expect(listOf(seen).hosts).toEqual(["fe80::2%eth0"]);
    lan.entries.set("10.0.0.2", clock.now());
    await clock.advance(120_000);
    const { hosts, changes } = listOf(seen);
    expect(hosts).toEqual(["10.0.0.2"]);
    expect(changes.filter(({ kind }) => kind !== "updated").map(({ kind }) => kind)).toEqual(["up"]);
  });

  it("is one node, also where its MAC has several IPv4 addresses", async () => {
    addTwin(false);
    const { seen } = await browse();
    await clock.advance(2_000);
    const { mac = "" } = lan.hosts.get("10.0.0.2") ?? {};
    lan.entries.set("10.0.0.2", clock.now());
    lan.add("10.0.0.3", { mac });
    await clock.advance(60_000);
    expect(listOf(seen).hosts).toEqual(["10.0.0.2"]);
  });
});

describe("a machine with two addresses", () => {
  const mac = "02:00:0a:00:00:02";
  const serve = (address: string, rest: Parameters<typeof identification>[1] = {}, its = mac): void => {
    lan.add(address, { mac: its }).servers.set(8_000, identification(8_000, rest));
  };
  const nodesIn = async (): Promise<unknown> => {
    const { seen } = await browse();
    await clock.advance(60_000);
    const registry = new Registry();
    for (const observation of seen) registry.apply(observation, clock.now());
    return registry.listAlive().map(({ addresses }) => [...addresses].sort());
  };

  it("is one node with both", async () => {
    serve("10.0.0.2");
    serve("10.0.9.2");
    expect(await nodesIn()).toEqual([["10.0.0.2", "10.0.9.2"]]);
  });

  it("keeps its MAC to itself", async () => {
    serve("10.0.0.2");
    const { seen } = await browse();
    await clock.advance(60_000);
    expect(JSON.stringify(seen)).not.toContain(mac);
  });

  it.each([
    ["their servers differ", () => serve("10.0.9.2", { server: "ollama" })],
    ["their models differ", () => serve("10.0.9.2", { models: ["parrot"] })],
    ["their MACs differ", () => serve("10.0.9.2", {}, "02:00:0a:00:00:03")],
    [
      "their MACs are cut, as those of InfiniBand are",
      () => {
        serve("10.0.0.2", {}, "80:00:02:08:fe:80:00:00:00");
        serve("10.0.9.2", {}, "80:00:02:08:fe:80:00:00:00");
      },
    ],
  ])("is two nodes where %s", async (_, serveOther) => {
    serve("10.0.0.2");
    serveOther();
    expect(await nodesIn()).toEqual([["10.0.0.2"], ["10.0.9.2"]]);
  });
});

describe("a sweep", () => {
  it("is not made unless it is asked for", async () => {
    await browse();
    await clock.advance(3_600_000);
    expect(lan.arpTriggers).toEqual([]);
  });

  it("is announced by one line, and asks whoever answers", async () => {
    lan.interfaces = { eth0: [info("10.0.0.1/24")] };
    lan.add("10.0.0.2", { known: false }).servers.set(8_000, identification(8_000));
    const { of, logged } = await browse({ sweep: true, pace: "prompt" });
    await clock.advance(100);
    expect(
      logged.filter((line) => /asking 253 addresses of 10\.0\.0\.0\/24 on eth0 by ARP/.test(line)),
    ).toHaveLength(1);
    expect(of("alive")).toHaveLength(1);
    expect(of("settled")).toEqual([]);
    await clock.advance(5_000);
    expect(of("settled")).toHaveLength(1);
  });

  it("is repeated every ten minutes or so, gently, and not by every browse", async () => {
    lan.interfaces = { eth0: [info("10.0.0.1/28")] };
    const { session } = await browse({ sweep: true, pace: "prompt" });
    await clock.advance(5_000);
    const first = lan.arpTriggers.length;
    session.browse({ ttlMs: 60_000 }, new AbortController())[Symbol.asyncIterator]().next();
    await clock.advance(400_000);
    expect(lan.arpTriggers.length).toBe(first);
    await clock.advance(400_000);
    expect(lan.arpTriggers.length).toBe(2 * first);
  });

  it("warns of what a user would expect to be swept", async () => {
    const { reports } = await browse({ sweep: true });
    await clock.advance(1_000);
    expect(reports).toMatchObject([
      { code: "arp/sweep-limited", message: expect.stringMatching(/only 10\.0\.0\.0\/24 is/) },
    ]);
  });

  it("warns that there is nothing to sweep", async () => {
    lan.interfaces = { eth0: [info("10.0.0.1/32")] };
    const { reports } = await browse({ sweep: true });
    await clock.advance(1_000);
    expect(reports[0]).toMatchObject({
      code: "arp/sweep-limited",
      message: expect.stringMatching(/^nothing is swept: /),
    });
  });

  it("leaves a router alone that answers for all, and warns of it", async () => {
    lan.interfaces = { eth0: [info("10.0.0.1/26")] };
    for (let last = 2; last < 40; last += 1)
      lan.add(`10.0.0.${last}`, { known: false, mac: "02:00:00:00:00:99" });
    const { reports } = await browse({ sweep: true, pace: "prompt" });
    await clock.advance(10_000);
    expect(lan.looks).toEqual([]);
    expect(reports).toContainEqual(
      expect.objectContaining({
        code: "arp/sweep-limited",
        message: expect.stringMatching(/one host answers for many .*proxy ARP/),
      }),
    );
  });

  it("has an estimate of how long its first pass takes", () => {
    lan.interfaces = { eth0: [info("10.0.0.1/24")] };
    expect(arpOn(lan.machine(), { sweep: true, pace: "prompt" }).firstPassMs()).toBe(8_600);
    expect(arpOn(lan.machine(), { sweep: true }).firstPassMs()).toBeGreaterThan(7_000);
    expect(arpOn(lan.machine()).firstPassMs()).toBe(5_500);
  });
});

describe("a machine without a LAN", () => {
  it.each([["tun0"], ["docker0"]])("cannot open it: %s", async (name) => {
    lan.interfaces = { [name]: [info("10.0.0.1/24")] };
    await expect(browse()).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      cause: { code: "NO_INTERFACE" },
    });
  });
});

describe("a node that another transport found", () => {
  it("is asked at its own port, and becomes one node with two sources", async () => {
    const registry = heardByMdns("10.0.0.2", 9_999);
    lan
      .add("10.0.0.2", { known: false })
      .servers.set(9_999, identification(9_999, { models: ["qwen3-32b"] }));
    const { seen } = await browse({}, () => registry.listAlive());
    await clock.advance(1_500);
    for (const observation of seen) registry.apply(observation, observation.atMs);
    expect(registry.listAlive()).toMatchObject([
      {
        id: "box",
        info: "gpu-box-01",
        models: ["qwen3-32b"],
        sources: [{ transport: "mdns" }, { transport: "arp" }],
      },
    ]);
  });
});

describe("options that cannot be", () => {
  it.each([
    [{ ports: [] }, "arp: ports must be a list of 1 to 64, and is []"],
    [{ ports: [0] }, "arp: ports[0] must be a whole number from 1 to 65535, and is 0"],
    [{ interfaces: [] }, "arp: interfaces must be a list of at least 1, and is []"],
    [{ subnets: ["10.0.0.0/33"] }, 'subnets holds "10.0.0.0/33"'],
    [{ exclude: ["fe80::1"] }, 'exclude holds "fe80::1"'],
    [{ maxNodes: 0 }, "arp: maxNodes must be a whole number from 1 to 100000, and is 0"],
    [
      { sweepEveryMs: 1_000 },
      "arp: sweepEveryMs must be a whole number from 300000 to 86400000, and is 1000",
    ],
  ] as const)("%j are a mistake", (options, message) => {
    expect(() => arpOn(lan.machine(), options)).toThrow(message);
  });
});
