import { describe, expect, test } from "vitest";
import { Registry } from "../../src/authors.ts";
import { alive, at, gone } from "../observations.ts";
import { inWords, listed } from "./in-words.ts";

describe("a source", () => {
  test("brings its node up, once", () => {
    const registry = new Registry();
    expect(inWords(registry.apply(alive(), 0))).toEqual(["up box"]);
    expect(registry.apply(alive(), 10)).toEqual([]);
    expect(registry.get("box")?.sources[0]).toMatchObject({
      firstSeenMs: 0,
      lastSeenMs: 10,
      expiresMs: 60_010,
    });
  });

  test("updates its node when it says something else", () => {
    const registry = new Registry();
    registry.apply(alive(), 0);
    expect(inWords(registry.apply(alive({ info: "gpu" }), 1))).toEqual(["updated box"]);
  });

  test("says by which way it was heard last, which is no news by itself", () => {
    const registry = new Registry();
    const relayed = (): unknown => registry.get("box")?.sources.map((source) => source.relayed);
    registry.apply({ ...alive(), relayed: true }, 0);
    expect(relayed()).toEqual([true]);
    expect(registry.apply(alive(), 1)).toEqual([]);
    expect(relayed()).toEqual([false]);
  });

  test.each(["goodbye", "unreachable"] as const)("takes its node down with %s", (reason) => {
    const registry = new Registry();
    registry.apply(alive(), 0);
    expect(inWords(registry.apply(gone({ reason }), 1))).toEqual([`down box ${reason}`]);
    expect(registry.apply(gone({ reason }), 2)).toEqual([]);
    expect(registry.nextDeadlineMs()).toBeNull();
  });

  test("ends at its deadline, not before, and later for each repetition", () => {
    const registry = new Registry();
    registry.apply(alive({ ttlMs: 100 }), 0);
    registry.apply(alive({ ttlMs: 100 }), 50);
    expect(registry.nextDeadlineMs()).toBe(150);
    expect(registry.expire(149)).toEqual([]);
    expect(inWords(registry.expire(150))).toEqual(["down box expired"]);
  });

  test("may shorten its deadline", () => {
    const registry = new Registry();
    registry.apply(alive({ ttlMs: 100 }), 0);
    registry.apply(alive({ ttlMs: 1 }), 0);
    expect(inWords(registry.expire(1))).toEqual(["down box expired"]);
  });

  test("that now speaks of another node leaves the one before", () => {
    const registry = new Registry();
    registry.apply(alive({ addresses: [at("10.0.0.1", "routed")] }), 0);
    const changes = registry.apply(alive({ id: "other", addresses: [at("10.0.0.1", "routed")] }), 1);
    expect(inWords(changes)).toEqual(["down box superseded", "up other"]);
  });
});

describe("a node with several sources", () => {
  test("stays until the last one ends", () => {
    const registry = new Registry();
    registry.apply(alive({ via: "mdns" }), 0);
    expect(inWords(registry.apply(alive({ via: "mesh" }), 0))).toEqual(["updated box"]);
    expect(inWords(registry.apply(gone({ via: "mdns" }), 1))).toEqual(["updated box"]);
    expect(inWords(registry.apply(gone({ via: "mesh" }), 2))).toEqual(["down box goodbye"]);
  });

  test("goes down once when all of them expire", () => {
    const registry = new Registry();
    for (const via of ["arp", "mdns", "mesh"]) registry.apply(alive({ via }), 0);
    expect(inWords(registry.expire(60_000))).toEqual(["down box expired"]);
  });

  test("has no more of them than a host has interfaces and transports", () => {
    const registry = new Registry();
    for (let key = 0; key < 33; key += 1) registry.apply(alive({ key: `${key}` }), 0);
    expect(registry.get("box")?.sources).toHaveLength(32);
    expect(registry.refused).toBe(1);
    expect(registry.apply(alive({ key: "0", ttlMs: 90_000 }), 1)).toEqual([]);
    expect(registry.refused).toBe(1);
  });
});

test("a successor takes over no more sources than it has room for", () => {
  const registry = new Registry();
  for (let key = 0; key < 32; key += 1) registry.apply(alive({ key: `${key}`, id: null }), 0);
  expect(inWords(registry.apply(alive(), 1))).toEqual(["down 10.0.0.1:8000 superseded", "up box"]);
  expect(registry.get("box")?.sources).toHaveLength(32);
  expect(inWords(registry.expire(60_001))).toEqual(["down box expired"]);
});

describe("a source without an identity", () => {
  const python = alive({ key: "python", id: null });
  const neighbor = alive({ via: "arp", key: "10.0.0.1:8000", id: null, trust: "identified" });

  test("is named by its endpoint", () => {
    const registry = new Registry();
    registry.apply(python, 0);
    registry.apply(alive({ key: "v6", id: null, addresses: [at("2001:db8::1")] }), 0);
    expect(listed(registry)).toEqual(["10.0.0.1:8000", "[2001:db8::1]:8000"]);
  });

  test("joins the node that is proven at its endpoint", () => {
    const registry = new Registry();
    registry.apply(alive(), 0);
    expect(inWords(registry.apply(neighbor, 0))).toEqual(["updated box"]);
    expect(registry.get("box")?.sources.map(({ transport }) => transport)).toEqual(["mdns", "arp"]);
  });

  test("moves on to the node that turns out to be there", () => {
    const registry = new Registry();
    registry.apply(neighbor, 0);
    expect(inWords(registry.apply(alive(), 1))).toEqual(["down 10.0.0.1:8000 superseded", "up box"]);
    expect(registry.get("box")?.sources).toHaveLength(2);
  });

  test("keeps its node listed when the announcement ends", () => {
    const registry = new Registry();
    registry.apply(alive(), 0);
    registry.apply(neighbor, 0);
    expect(inWords(registry.apply(gone(), 1))).toEqual(["updated box"]);
    expect(registry.apply(neighbor, 2)).toEqual([]);
    expect(inWords(registry.apply(gone({ via: "arp", key: "10.0.0.1:8000" }), 3))).toEqual([
      "down box goodbye",
    ]);
  });

  test.each([
    ["a loopback address", at("127.0.0.1", "loopback")],
    ["a bridge or another address that others merely list", at("172.17.0.1", "routed")],
    ["an address on the link that nobody signed", at("10.0.0.1", "on-link")],
  ])("does not join by %s", (_, address) => {
    const registry = new Registry();
    registry.apply(alive({ addresses: [address] }), 0);
    registry.apply(alive({ key: "python", id: null, addresses: [address] }), 0);
    expect(registry.size).toBe(2);
  });

  test("does not join by a link-local address of another link", () => {
    const registry = new Registry();
    registry.apply(alive({ addresses: [at("fe80::1%eth0")] }), 0);
    registry.apply(alive({ key: "python", id: null, addresses: [at("fe80::1%eth1")] }), 0);
    expect(listed(registry)).toEqual(["box", "[fe80::1%eth1]:8000"]);
  });

  test("does not join at another port", () => {
    const registry = new Registry();
    registry.apply(alive({ port: 9000 }), 0);
    registry.apply(python, 0);
    expect(listed(registry)).toEqual(["box", "10.0.0.1:8000"]);
  });

  test("is not mixed up with another that lists the same loopback address first", () => {
    const registry = new Registry();
    for (const address of ["10.0.0.1", "10.0.0.2"]) {
      const addresses = [at("127.0.1.1", "loopback"), at(address)];
      registry.apply(alive({ key: address, id: null, addresses }), 0);
    }
    expect(listed(registry)).toEqual(["10.0.0.1:8000", "10.0.0.2:8000"]);
  });

  test("is one node, by one name, when its packets come from IPv4 and IPv6 in turn", () => {
    const registry = new Registry();
    const fromV4 = alive({ id: null, addresses: [at("10.0.0.1"), at("2001:db8::1", "on-link")] });
    const fromV6 = alive({ id: null, addresses: [at("2001:db8::1"), at("10.0.0.1", "on-link")] });
    const kinds = [fromV4, fromV6, fromV4, fromV6].flatMap((report, ms) =>
      registry.apply(report, ms).map((change) => change.kind),
    );
    expect(kinds).toEqual(["up", "updated", "updated", "updated"]);
    expect(listed(registry)).toEqual(["10.0.0.1:8000"]);
  });
});

describe("a new identity at a proven endpoint", () => {
  const before = alive({ key: "before", id: "before" });
  const after = alive({ key: "after", id: "after" });

  test("ends its predecessor", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    expect(inWords(registry.apply(after, 1))).toEqual(["down before superseded", "up after"]);
  });

  test("ends it on every transport, and takes over what has no name", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    registry.apply({ ...before, via: "mesh" }, 0);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", id: null }), 0);
    expect(inWords(registry.apply(after, 1))).toEqual(["down before superseded", "up after"]);
    expect(registry.get("after")?.sources.map(({ transport }) => transport)).toEqual(["mdns", "arp"]);
  });

  test("does not flap when the predecessor is heard late", () => {
    const registry = new Registry();
    const late = [
      before,
      { ...before, via: "mesh" },
      alive({ id: "before", addresses: [at("10.0.0.1", "routed")] }),
    ];
    registry.apply(before, 0);
    registry.apply(after, 1);
    for (const report of late) expect(registry.apply(report, 2)).toEqual([]);
    expect(registry.refused).toBe(0);
  });

  test("leaves the predecessor alone where it is proven to live on", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    registry.apply(after, 1);
    const elsewhere = {
      ...before,
      node: { ...before.node, addresses: [at("10.0.0.9"), at("10.0.0.1", "routed")] },
    };
    expect(inWords(registry.apply(elsewhere, 2))).toEqual(["up before"]);
  });

  test("gives the endpoint back once it has ended", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    registry.apply(after, 1);
    registry.apply(gone({ key: "after" }), 2);
    expect(inWords(registry.apply(before, 3))).toEqual(["up before"]);
    expect(registry.apply(before, 4)).toEqual([]);
  });

  test("gives it back also while something without a name still answers there", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    registry.apply(after, 1);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", id: null }), 2);
    registry.apply(gone({ key: "after" }), 3);
    expect(inWords(registry.apply(before, 4))).toEqual(["down after superseded", "up before"]);
    registry.apply(before, 5);
    expect(registry.get("before")?.sources[0]).toMatchObject({ lastSeenMs: 5 });
  });

  test("remembers a line of predecessors", () => {
    const registry = new Registry();
    const line = ["a", "b", "c", "d"].map((id) => alive({ key: id, id }));
    for (const report of line) registry.apply(report, 0);
    expect(listed(registry)).toEqual(["d"]);
    for (const report of line.slice(0, -1)) expect(registry.apply(report, 1)).toEqual([]);
  });

  test("forgets all but the latest eight", () => {
    const registry = new Registry();
    const line = Array.from("abcdefghij", (id) => alive({ key: id, id }));
    for (const report of line) registry.apply(report, 0);
    for (const report of line.slice(1, -1)) expect(registry.apply(report, 1)).toEqual([]);
    expect(inWords(registry.apply(alive({ key: "a", id: "a" }), 1))).toEqual(["down j superseded", "up a"]);
  });

  test("needs proof: an endpoint that is merely listed is nobody's", () => {
    const registry = new Registry();
    registry.apply(before, 0);
    registry.apply(alive({ key: "after", id: "after", addresses: [at("10.0.0.1", "on-link")] }), 1);
    expect(listed(registry)).toEqual(["before", "after"]);
  });
});

test("a node of this process is marked", () => {
  const registry = new Registry({ isSelf: (id) => id === "box" });
  registry.apply(alive(), 0);
  registry.apply(alive({ key: "other", id: "other", addresses: [at("10.0.0.2")] }), 0);
  expect(registry.listAlive().map((node) => node.self)).toEqual([true, false]);
});

test("a node of this machine is marked, also by one transport of several, until that loses it", () => {
  const registry = new Registry();
  registry.apply(alive(), 0);
  expect(inWords(registry.apply({ ...alive({ key: "own", id: null }), via: "local", own: true }, 1))).toEqual(
    ["updated box"],
  );
  expect(registry.get("box")?.self).toBe(true);
  registry.apply({ kind: "gone", via: "local", key: "own", reason: "unreachable" }, 2);
  expect(registry.get("box")?.self).toBe(false);
});

test("`settled` changes nothing", () => {
  expect(new Registry().apply({ kind: "settled", via: "mdns" }, 0)).toEqual([]);
});
