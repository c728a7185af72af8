import { describe, expect, test } from "vitest";
import { Registry } from "../../src/authors.ts";
import { type AliveFields, alive, at } from "../observations.ts";
import { inWords, listed } from "./in-words.ts";

describe("a full registry", () => {
  const nth = (n: number, rest: AliveFields = {}) =>
    alive({ key: `k${n}`, id: `n${n}`, addresses: [at(`10.0.0.${n}`)], ttlMs: 100 * n, ...rest });

  test("refuses newcomers that are worth no more and keeps what it has", () => {
    const registry = new Registry({ capacity: 2 });
    for (const n of [1, 2, 3]) registry.apply(nth(n), 0);
    expect(listed(registry)).toEqual(["n1", "n2"]);
    expect(registry.refused).toBe(1);
  });

  test("has room for each transport", () => {
    const registry = new Registry({ capacity: 2 });
    for (const via of ["mdns", "mesh"]) for (const n of [1, 2, 3]) registry.apply(nth(n, { via }), 0);
    for (const n of [7, 8]) registry.apply(nth(n, { via: "arp", trust: "identified" }), 0);
    expect(listed(registry)).toEqual(["n1", "n2", "n7", "n8"]);
  });

  test("takes newcomers again when one left", () => {
    const registry = new Registry({ capacity: 2 });
    for (const n of [1, 2]) registry.apply(nth(n), 0);
    registry.expire(100);
    expect(inWords(registry.apply(nth(3), 101))).toEqual(["up n3"]);
  });

  test("takes the successor of a node that it lists", () => {
    const registry = new Registry({ capacity: 2 });
    for (const n of [1, 2]) registry.apply(nth(n), 0);
    const restarted = alive({ key: "new", id: "new", addresses: [at("10.0.0.1")] });
    expect(inWords(registry.apply(restarted, 1))).toEqual(["down n1 superseded", "up new"]);
    const renamed = alive({ key: "k2", id: "renamed", addresses: [at("10.0.0.7")] });
    expect(inWords(registry.apply(renamed, 2))).toEqual(["down n2 superseded", "up renamed"]);
    expect(registry.refused).toBe(0);
  });

  test("gives the room of what is trusted least to what is trusted more", () => {
    const registry = new Registry({ capacity: 2 });
    for (const n of [1, 2]) registry.apply(nth(n), 0);
    const changes = registry.apply(nth(3, { trust: "signed" }), 1);
    expect(inWords(changes)).toEqual(["down n2 displaced", "up n3"]);
    expect(registry.refused).toBe(1);
    registry.apply(nth(4, { trust: "signed" }), 2);
    expect(inWords(registry.apply(nth(5), 3))).toEqual([]);
    expect(listed(registry)).toEqual(["n3", "n4"]);
  });

  test("gives the room of the origin that has most to one that has none", () => {
    const registry = new Registry({ capacity: 3 });
    registry.apply(nth(1), 0);
    for (const n of [2, 3]) registry.apply(nth(n, { origin: "flood" }), 0);
    expect(inWords(registry.apply(nth(4), 1))).toEqual(["down n3 displaced", "up n4"]);
    expect(registry.apply(nth(5, { origin: "flood" }), 2)).toEqual([]);
  });

  test("displaces a source of a node that has others without a word of its end", () => {
    const registry = new Registry({ capacity: 2 });
    registry.apply(nth(1), 0);
    registry.apply(nth(1, { key: "other" }), 0);
    const changes = registry.apply(nth(2, { trust: "signed" }), 1);
    expect(inWords(changes)).toEqual(["updated n1", "up n2"]);
  });

  test.each([0, -1, 1.5, Number.NaN])("cannot have a capacity of %s", (capacity) => {
    expect(() => new Registry({ capacity })).toThrow(
      new RangeError(`capacity ${capacity} must be an integer of at least 1`),
    );
  });
});

test("a node that strangers speak of as often as they may has room for its own word", () => {
  const registry = new Registry();
  for (let n = 0; n < 40; n += 1) {
    const stranger = { via: "mesh", key: `copy ${n}`, origin: "stranger", addresses: [at("10.0.0.66")] };
    registry.apply(alive(stranger), 0);
  }
  registry.apply(alive({ via: "mesh", key: "other", origin: "other", addresses: [at("10.0.0.7")] }), 1);
  expect(registry.get("box")?.sources.map(({ key }) => key)).toContain("other");
  registry.apply(alive({ via: "mesh", key: "own", trust: "signed" }), 2);
  expect(registry.get("box")).toMatchObject({ host: "10.0.0.1", sources: { length: 32, 0: { key: "own" } } });
});
