import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/registry/deadlines.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const step = fc.record({
  does: fc.constantFrom<("set" | "delete" | "pop")[]>("set", "set", "delete", "pop"),
  key,
  atMs: fc.integer({ min: 0, max: 50 }),
});

/** Oracle: an array that is sorted at each access. */
class SortedDeadlines {
  #all: { readonly key: string; readonly atMs: number }[] = [];

  set(key: string, atMs: number): void {
    this.delete(key);
    this.#all.push({ key, atMs });
  }

  delete(key: string): void {
    this.#all = this.#all.filter((one) => one.key !== key);
  }

  due(): readonly { readonly key: string; readonly atMs: number }[] {
    const [first] = this.#all.sort((a, b) => a.atMs - b.atMs);
    return this.#all.filter(({ atMs }) => atMs === first?.atMs);
  }
}

/** Checks the first due keys, and removes them from both. */
function pop(deadlines: Deadlines, sorted: SortedDeadlines): void {
  const first = deadlines.first();
  const due = sorted.due();
  expect(first === null).toBe(due.length === 0);
  if (!first) return;
  expect(due).toContainEqual(first);
  deadlines.delete(first.key);
  sorted.delete(first.key);
}

test("the first deadline is the first of a sorted array", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const deadlines = new Deadlines();
      const sorted = new SortedDeadlines();
      for (const { does, key, atMs } of steps) {
        if (does === "pop") pop(deadlines, sorted);
        else for (const it of [deadlines, sorted]) it[does](key, atMs);
      }
      for (const _ of "abcdef") pop(deadlines, sorted);
      expect(deadlines.first()).toBeNull();
    }),
  );
});

test("ten thousand deadlines come out in order", () => {
  const deadlines = new Deadlines();
  for (let n = 0; n < 10_000; n += 1) deadlines.set(`${n}`, (n * 7_919) % 10_007);
  let beforeMs = -1;
  let count = 0;
  for (let first = deadlines.first(); first; first = deadlines.first()) {
    expect(first.atMs).toBeGreaterThanOrEqual(beforeMs);
    beforeMs = first.atMs;
    deadlines.delete(first.key);
    count += 1;
  }
  expect(count).toBe(10_000);
});

test("deadlines that moved closer many times come out in order", () => {
  const deadlines = new Deadlines();
  for (let round = 20; round > 0; round -= 1) {
    for (let n = 0; n < 50; n += 1) deadlines.set(`${n}`, 1_000 * round + ((n * 37) % 50));
  }
  const order: number[] = [];
  for (let first = deadlines.first(); first; first = deadlines.first()) {
    order.push(first.atMs);
    deadlines.delete(first.key);
  }
  expect(order).toEqual(Array.from({ length: 50 }, (_, n) => 1_000 + n));
});
