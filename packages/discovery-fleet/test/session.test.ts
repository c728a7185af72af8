import type { NetworkInterfaceInfo } from "node:os";
import {
  type Announced,
  createDiscovery,
  type Discovery,
  DiscoveryError,
  type DiscoveryErrorCode,
} from "@lmserv/discovery-core";
import type { Identification, Verdict } from "@lmserv/discovery-identify";
import { ephemeralIdentity } from "@lmserv/discovery-identity";
import { type ListedInterfaces, type MachineMark, systemOf } from "@lmserv/discovery-network";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EngineEntry } from "../src/index.ts";
import { type FleetOptions, fleetOn } from "../src/transport.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { PlainHost } from "./plain-host.ts";

const lifetimeMs = 30_000;
let clock: VirtualClock;
let engine: MemoryEngine;
let discovery: Discovery;
/** When which port of which host was asked whether a server is there; and what it answers. */
let asked: { readonly atMs: number; readonly host: string; readonly port: number }[];
let answers: Map<number, Verdict>;

beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
  answers = new Map();
});
afterEach(() => discovery[Symbol.asyncDispose]());

const mark: MachineMark = { stack: "5".repeat(16), macs: [], installation: null };

const server: Verdict = { kind: "other", is: "http" };

function interfaceOf(address: string): NetworkInterfaceInfo {
  const netmask = "255.255.255.0";
  const mac = "02:00:00:00:00:01";
  return { address, netmask, mac, cidr: `${address}/24`, family: "IPv4", internal: false };
}

/** @param listed - The machine's interfaces; with them the addresses that it announces are its own. */
async function open(options: FleetOptions = {}, listed?: ListedInterfaces): Promise<void> {
  engine = new MemoryEngine();
  const machine = {
    system: () => systemOf(listed ?? {}),
    hostname: () => "box",
    mark: () => mark,
    look: async ({ host, port }: { readonly host: string; readonly port: number }): Promise<Verdict> => {
      asked.push({ atMs: clock.now(), host, port });
      return answers.get(port) ?? { kind: "silent", why: "refused" };
    },
  };
  const chosen = listed ? {} : { addresses: ["10.0.0.1"] };
  const transport = fleetOn(machine, engine, { ...chosen, lifetimeMs, ...options });
  discovery = await createDiscovery({ transports: [transport], clock, random: seededRandom(1) });
  discovery.registry.listAlive();
  await clock.advance(0);
}

function nodeAt(port: number) {
  return { id: `n${port}`, port, info: `${port}` };
}

function entryAt(port: number, host: PlainHost = new PlainHost(), changes: object = {}): EngineEntry {
  return entryOf(nodeAt(port), host, changes);
}

function entryOf(node: Announced, host: PlainHost = new PlainHost(), changes: object = {}): EngineEntry {
  return { key: host.keyOf(node), value: host.valueOf(node, "default", { ttlMs: lifetimeMs, ...changes }) };
}

function lost(code: DiscoveryErrorCode = "MEDIUM_UNREACHABLE"): void {
  engine.say({ kind: "lost", error: new DiscoveryError(code, "gone", { via: "memory" }) });
}

/** Lets a snapshot be read, some signatures at a turn. */
async function read(): Promise<void> {
  for (let turns = 0; turns < 100; turns += 1) await clock.advance(0);
}

/** Ports of who is listed; a star for those that are listed from memory. */
function listed(): string {
  const nodes = discovery.registry.listAlive();
  return nodes.map(({ port, sources }) => `${port}${sources[0]?.stale ? "*" : ""}`).join(" ");
}

describe("an engine that is lost", () => {
  const entries = [1, 2, 3].map((port) => entryAt(port));

  beforeEach(async () => {
    await open();
    engine.snapshot(...entries);
    await clock.advance(0);
    expect(listed()).toBe("1 2 3");
    lost();
    await clock.advance(0);
  });

  test("leaves its nodes listed with the cause, asked by nobody, for two lifetimes", async () => {
    expect(listed()).toBe("1* 2* 3*");
    expect(discovery.registry.listAlive()[0]?.sources[0]?.stale).toBe("MEDIUM_UNREACHABLE");
    expect(discovery.warnings.map(({ code }) => code)).toEqual(["MEDIUM_UNREACHABLE"]);
    await clock.advance(2 * lifetimeMs - 1);
    expect({ list: listed(), asked }).toEqual({ list: "1* 2* 3*", asked: [] });
  });

  test("leaves those that answer, and asks them again", async () => {
    answers.set(2, server);
    await clock.advance(2 * lifetimeMs + 2_000);
    expect(listed()).toBe("2*");
    await clock.advance(10 * lifetimeMs);
    expect(listed()).toBe("2*");
    expect(asked.filter(({ port }) => port === 2).length).toBeGreaterThan(3);
    answers.delete(2);
    await clock.advance(3 * lifetimeMs);
    expect(listed()).toBe("");
  });

  test("leaves nobody at whose address another node says that it is", async () => {
    const identification: Identification = {
      ...{
        port: 2,
        scheme: "http",
        id: "somebody-else",
        info: "",
        server: "lmserv",
        version: null,
        path: "/chat",
      },
      ...{ apis: [], models: [], modelsCut: false, auth: null, document: true },
    };
    answers.set(2, { kind: "server", identification, others: [] });
    answers.set(3, { kind: "server", identification: { ...identification, id: "n3" }, others: [] });
    await clock.advance(2 * lifetimeMs + 2_000);
    expect(listed()).toBe("3*");
  });

  test("is given a lifetime to know them again when it is back", async () => {
    engine.snapshot(...entries.slice(0, 1));
    await clock.advance(0);
    expect(listed()).toBe("1 2* 3*");
    engine.say({ kind: "put", ...(entries[1] as EngineEntry) });
    await clock.advance(lifetimeMs - 1);
    expect(listed()).toBe("1 2 3*");
    await clock.advance(1);
    expect(listed()).toBe("1 2");
  });

  test("and whose leases ran out meanwhile takes nobody with it", async () => {
    engine.snapshot(...entries);
    await clock.advance(1_000);
    for (const { key } of entries) engine.say({ kind: "delete", key, wasRemoved: false });
    await clock.advance(1_000);
    expect(listed()).toBe("1* 2* 3*");
    engine.say({ kind: "put", ...(entries[0] as EngineEntry) });
    await clock.advance(lifetimeMs);
    expect(listed()).toBe("1");
  });

  test("does not keep the dead by coming and going", async () => {
    for (let round = 0; round < 10; round += 1) {
      engine.snapshot();
      await clock.advance(lifetimeMs / 5);
      lost();
      await clock.advance(lifetimeMs / 5);
    }
    expect(listed()).toBe("");
  });

  test("is another matter than a snapshot that leaves somebody out", async () => {
    engine.snapshot(...entries);
    await clock.advance(lifetimeMs);
    engine.snapshot(...entries.slice(1));
    await clock.advance(0);
    expect(listed()).toBe("2 3");
  });
});

describe("the questions of one process", () => {
  test("are twenty a second at most, and spread over that", async () => {
    await open();
    const entries = Array.from({ length: 200 }, (_, index) =>
      entryAt(index + 1, new PlainHost(), { addresses: [`198.51.100.${index + 1}`] }),
    );
    engine.snapshot(...entries);
    await read();
    lost();
    await clock.advance(2 * lifetimeMs + 15_000);
    expect(asked).toHaveLength(200);
    const times = asked.map(({ atMs }) => atMs);
    for (const startMs of times) {
      expect(times.filter((atMs) => atMs >= startMs && atMs < startMs + 1_000).length).toBeLessThanOrEqual(
        20,
      );
    }
    expect(asked.map(({ port }) => port)).not.toEqual(
      [...asked].map(({ port }) => port).sort((a, b) => a - b),
    );
    expect(listed()).toBe("");
  });

  test("end with the engine's absence", async () => {
    await open();
    const entries = Array.from({ length: 100 }, (_, index) => entryAt(index + 1));
    engine.snapshot(...entries);
    await read();
    lost();
    await clock.advance(2 * lifetimeMs + 1_500);
    engine.snapshot(...entries);
    await clock.advance(2_000);
    const count = asked.length;
    await clock.advance(10_000);
    expect(asked).toHaveLength(count);
    expect(count).toBeLessThan(80);
  });
});

test("a node whose goodbye was replaced by its removal before it was told has left", async () => {
  await open();
  const departure = reasonOfDeparture();
  const left = entryAt(1);
  engine.snapshot(left);
  await clock.advance(0);
  engine.say({ kind: "delete", key: left.key, wasRemoved: true });
  await clock.advance(0);
  expect(await departure).toBe("goodbye");
});

/** Why the first node went that goes. */
async function reasonOfDeparture(): Promise<string | null> {
  for await (const change of discovery.watch()) if (change.kind === "down") return change.reason;
  return null;
}

describe("what is announced", () => {
  test("is kept under a place of its own, signed, and taken back with a goodbye", async () => {
    const identity = ephemeralIdentity(1);
    await open({ identity });
    const standing = await discovery.announce({ id: identity.key.id, port: 8_000, info: "own" });
    const [[key, value] = ["", ""]] = engine.kept;
    expect(key).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{32}$/);
    expect(JSON.parse(value.split("\n")[0] ?? "")).toMatchObject({
      cluster: "default",
      id: identity.key.id,
      ttlMs: lifetimeMs,
      addresses: ["10.0.0.1"],
      machine: mark,
      nodes: [{ id: identity.key.id, port: 8_000, info: "own", hostname: "box" }],
    });
    expect(discovery.registry.listAlive()[0]).toMatchObject({ self: true, sources: [{ trust: "signed" }] });
    await standing.update({ info: "other" });
    expect(engine.puts.at(-1)).toContain('"info":"other"');
    await standing[Symbol.asyncDispose]();
    expect({ kept: engine.kept.size, last: engine.puts.at(-1) }).toEqual({ kept: 0, last: "goodbye" });
    expect(listed()).toBe("");
  });

  test("names those of the machine's addresses at which the server answers, and others by an update", async () => {
    const system = { eth0: [interfaceOf("10.0.0.1")], eth1: [interfaceOf("10.8.0.1")] };
    await open({}, system);
    const standing = await discovery.announce({ port: 8_000, addresses: ["10.8.0.1", "127.0.0.1"] });
    const addresses = (): unknown => JSON.parse(engine.puts.at(-1)?.split("\n")[0] ?? "").addresses;
    expect(addresses()).toEqual(["10.8.0.1"]);
    expect(engine.puts.at(-1)).not.toContain("127.0.0.1");
    expect(discovery.registry.listAlive()[0]?.addresses).toEqual(["10.8.0.1"]);
    await standing.update({ addresses: ["10.0.0.1", "10.8.0.1"] });
    expect(addresses()).toEqual(["10.0.0.1", "10.8.0.1"]);
    expect(engine.puts).not.toContain("goodbye");
  });

  test("stays listed here while the engine is lost", async () => {
    await open();
    await discovery.announce({ port: 8_000 });
    engine.snapshot();
    lost();
    await clock.advance(5 * lifetimeMs);
    expect(listed()).toBe("8000");
  });

  test.each([
    ["on a copy of it", "4".repeat(16), "on copy (10.0.0.2)"],
    ["on it", "5".repeat(16), "of this machine"],
  ])("twice with one key, by this machine and another process %s, is told", async (_, stack, where) => {
    const identity = { ...ephemeralIdentity(1), keyFile: "/state/node-8000.key" };
    await open({ identity });
    await discovery.announce({ id: identity.key.id, port: 8_000 });
    const [[key, value] = ["", ""]] = engine.kept;
    engine.snapshot({ key, value });
    await clock.advance(0);
    expect(discovery.warnings).toEqual([]);
    const store = new MemoryEngine();
    const machine = {
      system: () => systemOf({}),
      hostname: () => "copy",
      mark: () => ({ ...mark, stack }),
      look: async () => server,
    };
    const transport = fleetOn(machine, store, { identity, addresses: ["10.0.0.2"] });
    const other = await createDiscovery({ transports: [transport], clock, random: seededRandom(2) });
    await other.announce({ id: identity.key.id, port: 8_000 });
    engine.say({ kind: "put", key, value: store.kept.get(key) ?? "" });
    await clock.advance(0);
    expect(discovery.warnings).toMatchObject([
      {
        code: "NAME_CONFLICT",
        message: `another process ${where} announces with our key; the later start is listed; end one of them, or where its folder is a copy, delete /state/node-8000.key there and start it again`,
      },
    ]);
    await other[Symbol.asyncDispose]();
  });
});

test("a value that was overwritten is told with the key file to delete; other faults stay as they are", async () => {
  await open({ identity: { ...ephemeralIdentity(1), keyFile: "/state/node-8000.key" } });
  for (const code of ["NAME_CONFLICT", "SEND_FAILED"] as const) {
    engine.context?.report(new DiscoveryError(code, "oh", { via: "memory" }));
  }
  expect(discovery.warnings.map(({ message }) => message)).toEqual([
    "oh; end one of them, or where its folder is a copy, delete /state/node-8000.key there and start it again",
    "oh",
  ]);
});

describe("room", () => {
  test("is for so many nodes; that there are more is told once", async () => {
    await open({ maxNodes: 5 });
    engine.snapshot(...Array.from({ length: 9 }, (_, index) => entryAt(index + 1)));
    await clock.advance(0);
    expect(listed()).toBe("1 2 3 4 5");
    expect(discovery.warnings.map(({ code }) => code)).toEqual(["REGISTRY_FULL"]);
  });

  test("of one key is bounded, so that nobody crowds out the rest", async () => {
    await open();
    const flood = new PlainHost();
    engine.snapshot(
      ...Array.from({ length: 1_200 }, (_, index) => entryAt(index + 1, flood)),
      entryAt(9_999),
    );
    await read();
    expect(discovery.registry.listAlive()).toHaveLength(1_001);
    expect(listed()).toContain("9999");
  });
});

describe("a thousand records that name one host", () => {
  const third = "192.0.2.99";
  const own = (index: number): string => `198.51.${100 + (index >> 8)}.${index & 255}`;

  test.each<[string, (index: number) => number, (index: number) => readonly string[]]>([
    ["at as many ports", (index) => 1_000 + index, () => [third]],
    ["at one port, where a server answers", () => 80, () => [third]],
    ["behind an address of their own", (index) => 1_000 + index, (index) => [own(index), third]],
  ])("%s have it asked a handful of times, and hold up nobody else", async (_, portOf, addressesOf) => {
    await open();
    answers.set(80, server);
    const records = Array.from({ length: 1_000 }, (__, index) => {
      const node = { id: `r${index}`, port: portOf(index), info: "" };
      return entryOf(node, new PlainHost(), { addresses: addressesOf(index) });
    });
    engine.snapshot(...records, entryAt(9_999, new PlainHost(), { addresses: ["192.0.2.8"] }));
    await read();
    expect(discovery.registry.listAlive()).toHaveLength(1_001);
    lost();
    await clock.advance(2 * lifetimeMs + 60_000);
    const ofThird = asked.filter(({ host }) => host === third);
    expect(ofThird.length).toBeGreaterThan(0);
    expect(ofThird.length).toBeLessThan(20);
    expect(asked.some(({ port }) => port === 9_999)).toBe(true);
    expect(listed()).not.toContain("9999");
  });
});
