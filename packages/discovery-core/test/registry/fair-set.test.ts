import fc from "fast-check";
import { expect, test } from "vitest";
import type { Trust } from "../../src/index.ts";
import { FairSet, type Place, type Rank } from "../../src/registry/fair-set.ts";

const capacity = 5;

const trusts: readonly Trust[] = ["signed", "announced", "identified"];
const trustRank = ({ trust }: Rank): number => trusts.indexOf(trust);
const rank = fc.record({ trust: fc.constantFrom(...trusts), origin: fc.constantFrom("a", "b", "c", "d") });
const key = fc.integer({ min: 0, max: 19 }).map(String);
const step = fc.record({ key, rank, leaves: fc.boolean() });

/** Fair set as a list, in the order of arrival. */
class List {
  entries: { readonly key: string; readonly rank: Rank }[] = [];

  add(key: string, rank: Rank): void {
    if (this.entries.some((it) => it.key === key && JSON.stringify(it.rank) === JSON.stringify(rank))) return;
    this.delete(key);
    this.entries.push({ key, rank });
  }

  delete(key: string): void {
    this.entries = this.entries.filter((it) => it.key !== key);
  }

  byOrigin(trust: number): Map<string, string[]> {
    const keys = new Map<string, string[]>();
    for (const { key, rank } of this.entries) {
      if (trustRank(rank) === trust) keys.set(rank.origin, [...(keys.get(rank.origin) ?? []), key]);
    }
    return keys;
  }
}

/** Possible places of a new key. */
function placesFor(newcomer: Rank, list: List): readonly Place[] {
  if (list.entries.length < capacity) return ["free"];
  const worst = Math.max(...list.entries.map((it) => trustRank(it.rank)));
  const keys = list.byOrigin(worst);
  const most = Math.max(...[...keys.values()].map(({ length }) => length));
  const own = keys.get(newcomer.origin)?.length ?? 0;
  const isWorthMore = trustRank(newcomer) < worst || (trustRank(newcomer) === worst && own + 1 < most);
  if (!isWorthMore) return ["none"];
  const crowded = [...keys.values()].filter(({ length }) => length === most);
  return crowded.map((each) => ({ insteadOf: each.at(-1) ?? "" }));
}

test("gives way from the least trusted, of the origin that has most, the latest", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), rank, (steps, newcomer) => {
      const set = new FairSet(capacity);
      const list = new List();
      for (const { key, rank, leaves } of steps) {
        for (const each of [set, list]) leaves ? each.delete(key) : each.add(key, rank);
      }
      expect(placesFor(newcomer, list)).toContainEqual(set.placeFor(newcomer));
    }),
  );
});

test("keeps nothing of what left", () => {
  const set = new FairSet(10);
  for (let n = 0; n < 1_000; n += 1) {
    set.add(`${n}`, { trust: "announced", origin: `${n % 7}` });
    set.delete(`${n}`);
  }
  expect(set.placeFor({ trust: "identified", origin: "0" })).toBe("free");
});

test("has a share of a thousand for one origin, however much room there is", () => {
  const set = new FairSet(10_000);
  const flood: Rank = { trust: "announced", origin: "flood" };
  for (let n = 0; n < 1_000; n += 1) set.add(`${n}`, flood);
  expect(set.placeFor(flood)).toBe("none");
  expect(set.placeFor({ ...flood, origin: "other" })).toBe("free");
});
