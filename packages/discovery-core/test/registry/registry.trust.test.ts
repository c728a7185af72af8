import { beforeEach, describe, expect, test } from "vitest";
import { Registry } from "../../src/authors.ts";
import { alive, at } from "../observations.ts";
import { inWords, listed } from "./in-words.ts";

describe("a signed node", () => {
  const signed = (id: string, addresses = [at("10.0.0.1")]) =>
    alive({ key: id, id, trust: "signed", addresses });
  const unsigned = alive({ key: "stranger", id: "stranger" });

  test("yields to no unsigned one at its endpoint", () => {
    const registry = new Registry();
    registry.apply(signed("box"), 0);
    expect(inWords(registry.apply(unsigned, 1))).toEqual(["up stranger"]);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", id: null }), 2);
    expect(registry.get("box")?.sources).toHaveLength(2);
  });

  test("yields to a signed one that was heard at its endpoint", () => {
    const registry = new Registry();
    registry.apply(signed("box"), 0);
    expect(inWords(registry.apply(signed("next"), 1))).toEqual(["down box superseded", "up next"]);
  });

  test.each([
    ["lists its endpoint", { heardMs: 1, addresses: [at("10.0.0.66"), at("10.0.0.1", "on-link")] }],
    ["was told of by a store", { heardMs: null }],
  ])("yields to no signed one that %s: a signature proves no endpoint", (_, fields) => {
    const registry = new Registry();
    registry.apply(signed("box"), 0);
    const claim = alive({ via: "etcd", key: "evil", id: "evil", trust: "signed", ...fields });
    expect(inWords(registry.apply(claim, 1))).toEqual(["up evil"]);
    expect(registry.get("box")?.host).toBe("10.0.0.1");
  });

  test("ends an unsigned one", () => {
    const registry = new Registry();
    registry.apply(unsigned, 0);
    expect(inWords(registry.apply(signed("box"), 1))).toEqual(["down stranger superseded", "up box"]);
  });

  test("returns although an unsigned one took its place", () => {
    const registry = new Registry();
    registry.apply(alive({ key: "box", id: "box" }), 0);
    registry.apply(unsigned, 1);
    expect(inWords(registry.apply(signed("box"), 2))).toEqual(["down stranger superseded", "up box"]);
  });

  test("lends its signature to no unsigned copy of its identity", () => {
    const registry = new Registry();
    registry.apply(signed("victim"), 0);
    registry.apply(signed("box", [at("10.0.0.2")]), 0);
    registry.apply(alive({ key: "copy", id: "box", addresses: [at("10.0.0.1")] }), 1);
    expect(listed(registry)).toEqual(["victim", "box"]);
  });

  test.each([
    ["says to be on the link", at("10.0.0.1", "on-link"), 0],
    ["was said to be by a store", at("10.0.0.1"), null],
  ])("draws no server to it that answers where it %s", (_, address, heardMs) => {
    const registry = new Registry();
    registry.apply(alive({ id: "box", trust: "signed", addresses: [address], heardMs }), 0);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", id: null, trust: "identified" }), 1);
    expect(listed(registry)).toEqual(["box", "10.0.0.1:8000"]);
  });

  test("is proven by the server there that names it", () => {
    const registry = new Registry();
    registry.apply(alive({ via: "etcd", trust: "signed", heardMs: null }), 0);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", trust: "identified" }), 1);
    registry.apply(alive({ key: "python", id: null }), 2);
    expect(listed(registry)).toEqual(["box"]);
    expect(registry.get("box")?.sources).toHaveLength(3);
  });

  test("is proven nowhere else than where a signature says", () => {
    const registry = new Registry();
    const victim = alive({ via: "arp", key: "10.0.0.2:8000", id: null, addresses: [at("10.0.0.2")] });
    registry.apply(signed("box"), 0);
    registry.apply(victim, 1);
    registry.apply(alive({ key: "copy", id: "box", addresses: [at("10.0.0.2")] }), 2);
    registry.apply(victim, 3);
    expect(listed(registry)).toEqual(["box", "10.0.0.2:8000"]);
  });

  test("stays proven where it was heard once, while it says to be there", () => {
    const registry = new Registry();
    const neighbor = alive({ via: "arp", key: "10.0.0.1:8000", id: null, trust: "identified" });
    registry.apply(signed("box"), 0);
    registry.apply({ ...signed("box", [at("10.0.0.1", "on-link")]), heardMs: null }, 1);
    registry.apply(neighbor, 2);
    expect(listed(registry)).toEqual(["box"]);
    registry.apply({ ...signed("box", [at("10.0.0.3", "on-link")]), heardMs: null }, 3);
    registry.apply(neighbor, 4);
    expect(listed(registry)).toEqual(["box", "10.0.0.1:8000"]);
  });

  test("is not moved by as many unsigned copies as there are", () => {
    const registry = new Registry();
    const copies = Array.from({ length: 40 }, (_, n) =>
      alive({ key: `copy ${n}`, id: "box", port: 9_000, addresses: [at(`10.0.0.${100 + n}`)] }),
    );
    for (const copy of copies) registry.apply(copy, 0);
    registry.apply(alive({ via: "etcd", id: "box", trust: "signed", addresses: [at("10.0.0.1")] }), 1);
    for (const copy of copies) registry.apply(copy, 2);
    expect(registry.get("box")).toMatchObject({ host: "10.0.0.1", port: 8_000, addresses: ["10.0.0.1"] });
    expect(registry.get("box")?.sources).toHaveLength(33);
  });
});

describe("a node whose place was taken", () => {
  const before = (heardMs: number | null) => alive({ key: "before", id: "before", heardMs });
  const after = (heardMs: number) => alive({ key: "after", id: "after", heardMs });
  let registry: Registry;

  beforeEach(() => {
    registry = new Registry();
    registry.apply(before(0), 0);
    registry.apply(after(10), 10);
  });

  test.each([
    ["hearsay", null],
    ["an older packet", 5],
    ["the same moment's", 10],
  ])("does not come back by %s", (_, heardMs) => {
    expect(registry.apply(before(heardMs), 20)).toEqual([]);
  });

  test("comes back beside the other when it is heard there again, and neither takes turns", () => {
    expect(inWords(registry.apply(before(20), 20))).toEqual(["up before"]);
    for (let ms = 30; ms < 100; ms += 20) {
      expect(registry.apply(after(ms), ms)).toEqual([]);
      expect(registry.apply(before(ms + 10), ms + 10)).toEqual([]);
    }
    expect(listed(registry)).toEqual(["after", "before"]);
  });

  test("has what answers at its endpoint again", () => {
    registry.apply(before(20), 20);
    registry.apply(alive({ via: "arp", key: "10.0.0.1:8000", id: null, trust: "identified" }), 30);
    expect(registry.get("before")?.sources).toHaveLength(2);
  });

  test("is not taken again by the same trick", () => {
    registry.apply(before(20), 20);
    for (const id of ["one", "two", "three"]) {
      expect(inWords(registry.apply(alive({ key: id, id, heardMs: 30 }), 30))).toEqual([`up ${id}`]);
    }
    expect(listed(registry)).toContain("before");
  });

  test("gives way again to one that is trusted more", () => {
    registry.apply(before(20), 20);
    const signed = alive({ via: "mesh", key: "new", id: "new", trust: "signed", heardMs: 30 });
    expect(inWords(registry.apply(signed, 30))).toEqual(["down before superseded", "up new"]);
  });

  test("is replaced by no other that is trusted less", () => {
    const identified = alive({ via: "arp", key: "x", id: "x", trust: "identified", heardMs: 30 });
    expect(inWords(registry.apply(identified, 30))).toEqual(["up x"]);
  });
});
