import type { NetworkInterfaceInfo } from "node:os";
import { type Discovery, DiscoveryError } from "@lmserv/discovery-core";
import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { ephemeralIdentity } from "@lmserv/discovery-signing";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "./memory-store.ts";
import { PlainHost } from "./plain-host.ts";
import { lifetimeMs, mark, openSite, type SiteOptions } from "./site.ts";

let clock: VirtualClock;
let store: MemoryStore;
let discovery: Discovery;
let downs: string[];

beforeEach(() => {
  clock = new VirtualClock();
  store = new MemoryStore();
  downs = [];
});
afterEach(() => discovery[Symbol.asyncDispose]());

function interfaceOf(address: string): NetworkInterfaceInfo {
  const netmask = "255.255.255.0";
  const mac = "02:00:00:00:00:01";
  return { address, netmask, mac, cidr: `${address}/24`, family: "IPv4", internal: false };
}

async function open(options: SiteOptions = {}): Promise<void> {
  discovery = await openSite(store, clock, options);
  void (async () => {
    for await (const change of discovery.watch())
      if (change.kind === "down") downs.push(`${change.node.port} ${change.reason}`);
  })();
}

function nodeAt(port: number): ResolvedAnnouncement {
  return { id: `n${port}`, port, info: `${port}` };
}

/** Puts a value of an independent host into the store; returns the function that removes it. */
function appear(port: number, host: PlainHost = new PlainHost(), changes: object = {}): () => void {
  const key = host.keyOf(nodeAt(port));
  store.put(key, host.valueOf(nodeAt(port), "default", { ttlMs: lifetimeMs, ...changes }));
  return () => store.delete(key);
}

/** Ports of the listed nodes; a star marks those with stale sources only. */
function listed(): string {
  const nodes = discovery.registry.listAlive();
  return nodes.map(({ port, sources }) => `${port}${sources[0]?.stale ? "*" : ""}`).join(" ");
}

describe("a store that is lost", () => {
  beforeEach(async () => {
    for (const port of [1, 2, 3]) appear(port);
    await open();
    expect(listed()).toBe("1 2 3");
  });

  test("and is there again at once, with all that it had, is a warning and no event", async () => {
    store.lose();
    await clock.advance(10 * lifetimeMs);
    expect({ list: listed(), downs }).toEqual({ list: "1 2 3", downs: [] });
    expect(discovery.warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "MEDIUM_UNREACHABLE gone",
    ]);
  });

  test("leaves its nodes listed with the cause, and ends them after a grace", async () => {
    store.isAbsent = true;
    store.lose();
    await clock.advance(2_000);
    expect(listed()).toBe("1* 2* 3*");
    expect(discovery.registry.listAlive()[0]?.sources[0]?.stale).toBe("MEDIUM_UNREACHABLE");
    await clock.advance(lifetimeMs);
    expect(listed()).toBe("1* 2* 3*");
    await clock.advance(lifetimeMs);
    expect(downs.sort()).toEqual(["1 unreachable", "2 unreachable", "3 unreachable"]);
  });

  test("and returns empty is given one lifetime to hear of everybody again", async () => {
    const values = [...store.kept];
    store.kept.clear();
    store.lose();
    await clock.advance(lifetimeMs / 2);
    for (const [key, value] of values.slice(0, 2)) store.put(key, value);
    await clock.advance(lifetimeMs / 2 - 1);
    expect({ list: listed(), downs }).toEqual({ list: "1 2 3", downs: [] });
    await clock.advance(1);
    expect({ list: listed(), downs }).toEqual({ list: "1 2", downs: ["3 unreachable"] });
  });

  test("and whose leases ran out meanwhile takes nobody with it", async () => {
    const values = [...store.kept];
    store.lose();
    await clock.advance(1_000);
    for (const [key] of values) store.delete(key);
    await clock.advance(1_000);
    expect({ list: listed(), downs }).toEqual({ list: "1 2 3", downs: [] });
    for (const [key, value] of values.slice(0, 1)) store.put(key, value);
    await clock.advance(lifetimeMs);
    expect(listed()).toBe("1");
  });

  test("that refuses us from then on is no more asked in the end", async () => {
    store.lose("PERMISSION_DENIED");
    expect(discovery.warnings.map(({ code }) => code)).toEqual([]);
    await clock.advance(0);
    expect(discovery.warnings.map(({ code }) => code)).toEqual(["PERMISSION_DENIED"]);
  });
});

test("a gap after which somebody is missing is a departure", async () => {
  appear(1);
  appear(2);
  await open();
  const [first = ""] = store.kept.keys();
  store.kept.delete(first);
  store.reread();
  await clock.advance(0);
  expect({ list: listed(), downs }).toEqual({ list: "2", downs: ["1 unreachable"] });
});

test("a node whose goodbye was replaced by its removal before it was told has left", async () => {
  appear(1);
  await open();
  const [key = ""] = store.kept.keys();
  store.delete(key, true);
  await clock.advance(0);
  expect(downs).toEqual(["1 goodbye"]);
});

describe("a host that was rolled back announces an earlier version", () => {
  let host: PlainHost;
  let older: string;
  let key: string;

  beforeEach(async () => {
    host = new PlainHost();
    key = host.keyOf(nodeAt(1));
    older = host.valueOf(nodeAt(1), "default", { ttlMs: lifetimeMs });
    appear(1, host, { epoch: 2 });
    await open();
    expect(listed()).toBe("1");
  });

  test("and is listed where the store has lost the later one", async () => {
    store.delete(key);
    await clock.advance(0);
    expect(listed()).toBe("");
    store.put(key, older);
    await clock.advance(0);
    expect(listed()).toBe("1");
  });

  test("and is listed by it when nobody has put the later one back for long", async () => {
    store.put(key, older);
    await clock.advance(lifetimeMs);
    expect(downs).toEqual([]);
    await clock.advance(2 * lifetimeMs);
    expect(listed()).toBe("1");
    store.put(key, host.valueOf({ ...nodeAt(1), info: "next" }, "default", { ttlMs: lifetimeMs }));
    await clock.advance(0);
    expect(discovery.registry.listAlive()[0]?.info).toBe("next");
  });
});

describe("what is announced", () => {
  test("is kept under a place of its own, signed, and taken back with a goodbye", async () => {
    const identity = ephemeralIdentity(1);
    await open({ identity });
    const registration = await discovery.announce({ id: identity.key.id, port: 8_000, info: "own" });
    const [[key, value] = ["", ""]] = store.kept;
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
    await registration.update({ info: "other" });
    expect(store.puts.at(-1)).toContain('"info":"other"');
    await registration[Symbol.asyncDispose]();
    expect({ kept: store.kept.size, last: store.puts.at(-1) }).toEqual({ kept: 0, last: "goodbye" });
    expect(listed()).toBe("");
  });

  test("names those of the machine's addresses at which the server answers, and others by an update", async () => {
    const system = { eth0: [interfaceOf("10.0.0.1")], eth1: [interfaceOf("10.8.0.1")] };
    await open({ listed: () => system });
    const registration = await discovery.announce({ port: 8_000, addresses: ["10.8.0.1", "127.0.0.1"] });
    const addresses = (): unknown => JSON.parse(store.puts.at(-1)?.split("\n")[0] ?? "").addresses;
    expect(addresses()).toEqual(["10.8.0.1"]);
    expect(store.puts.at(-1)).not.toContain("127.0.0.1");
    expect(discovery.registry.listAlive()[0]?.addresses).toEqual(["10.8.0.1"]);
    await registration.update({ addresses: ["10.0.0.1", "10.8.0.1"] });
    expect(addresses()).toEqual(["10.0.0.1", "10.8.0.1"]);
    expect(store.puts).not.toContain("goodbye");
  });

  test("is announced again, with a later version, where the store was lost", async () => {
    await open();
    await discovery.announce({ port: 8_000 });
    await clock.advance(0);
    expect(listed()).toBe("8000");
    store.kept.clear();
    store.lose();
    await clock.advance(1);
    expect({ kept: store.kept.size, puts: store.puts.length }).toEqual({ kept: 1, puts: 2 });
    await clock.advance(5 * lifetimeMs);
    expect({ list: listed(), downs }).toEqual({ list: "8000", downs: [] });
    expect(store.puts).not.toContain("goodbye");
  });

  test.each([
    ["on a copy of it", "4".repeat(16), "on copy (10.0.0.2)"],
    ["on it", "5".repeat(16), "of this machine"],
  ])("twice with one key, by this machine and another process %s, is told", async (_, stack, where) => {
    const identity = { ...ephemeralIdentity(1), keyFile: "/state/node-8000.key" };
    await open({ identity });
    await discovery.announce({ id: identity.key.id, port: 8_000 });
    await clock.advance(0);
    expect(discovery.warnings).toEqual([]);
    const there = { identity, addresses: ["10.0.0.2"], hostname: "copy", machineMark: { ...mark, stack } };
    const theirs = new MemoryStore();
    const other = await openSite(theirs, clock, there, 2);
    await other.announce({ id: identity.key.id, port: 8_000 });
    for (const [key, value] of theirs.kept) store.put(key, value);
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
    store.context?.report(new DiscoveryError(code, "oh", { via: "memory" }));
  }
  expect(discovery.warnings.map(({ message }) => message)).toEqual([
    "oh; end one of them, or where its folder is a copy, delete /state/node-8000.key there and start it again",
    "oh",
  ]);
});

describe("room", () => {
  test("is for so many nodes; that there are more is told once", async () => {
    await open({ maxNodes: 5 });
    for (let port = 1; port <= 9; port += 1) appear(port);
    await clock.advance(0);
    expect(listed()).toBe("1 2 3 4 5");
    expect(discovery.warnings.map(({ code }) => code)).toEqual(["REGISTRY_FULL"]);
  });

  test("is shared by members: a newcomer gets the latest place of whoever has most", async () => {
    await open({ maxNodes: 5 });
    const [small, large] = [new PlainHost(), new PlainHost()];
    for (const port of [1, 2]) appear(port, small);
    for (const port of [3, 4, 5]) appear(port, large);
    await clock.advance(0);
    appear(6);
    await clock.advance(0);
    expect(listed()).toBe("1 2 3 4 6");
    // Among equals none gives way.
    appear(7, small);
    await clock.advance(0);
    expect(listed()).toBe("1 2 3 4 6");
  });

  test("of one key is bounded, so that nobody crowds out the rest", async () => {
    await open();
    const flood = new PlainHost();
    for (let port = 1; port <= 1_200; port += 1) appear(port, flood);
    appear(9_999);
    await clock.advance(0);
    expect(discovery.registry.listAlive()).toHaveLength(1_001);
    expect(listed()).toContain("9999");
  });
});
