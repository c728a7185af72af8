import fc from "fast-check";
import { expect, test } from "vitest";
import type { Trust } from "../../src/index.ts";
import { type Place, Room, type Seat } from "../../src/registry/room.ts";

const capacity = 5;

const trusts: readonly Trust[] = ["signed", "announced", "identified"];
const rankOf = ({ trust }: Seat): number => trusts.indexOf(trust);
const seat = fc.record({ trust: fc.constantFrom(...trusts), origin: fc.constantFrom("a", "b", "c", "d") });
const key = fc.integer({ min: 0, max: 19 }).map(String);
const step = fc.record({ key, seat, leaves: fc.boolean() });

/** Room as a list, in the order of arrival. */
class List {
  seats: { readonly key: string; readonly seat: Seat }[] = [];

  take(key: string, seat: Seat): void {
    if (this.seats.some((it) => it.key === key && JSON.stringify(it.seat) === JSON.stringify(seat))) return;
    this.leave(key);
    this.seats.push({ key, seat });
  }

  leave(key: string): void {
    this.seats = this.seats.filter((it) => it.key !== key);
  }

  /** Keys of one trust, by origin. */
  byOrigin(rank: number): Map<string, string[]> {
    const keys = new Map<string, string[]>();
    for (const { key, seat } of this.seats) {
      if (rankOf(seat) === rank) keys.set(seat.origin, [...(keys.get(seat.origin) ?? []), key]);
    }
    return keys;
  }
}

/** Possible places of a new key. */
function placesFor(newcomer: Seat, list: List): readonly Place[] {
  if (list.seats.length < capacity) return ["free"];
  const worst = Math.max(...list.seats.map((it) => rankOf(it.seat)));
  const keys = list.byOrigin(worst);
  const most = Math.max(...[...keys.values()].map(({ length }) => length));
  const own = keys.get(newcomer.origin)?.length ?? 0;
  const isWorthMore = rankOf(newcomer) < worst || (rankOf(newcomer) === worst && own + 1 < most);
  if (!isWorthMore) return ["none"];
  const crowded = [...keys.values()].filter(({ length }) => length === most);
  return crowded.map((each) => ({ insteadOf: each.at(-1) ?? "" }));
}

test("gives way from the least trusted, of the origin that has most, the latest", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), seat, (steps, newcomer) => {
      const room = new Room(capacity);
      const list = new List();
      for (const { key, seat, leaves } of steps) {
        for (const each of [room, list]) leaves ? each.leave(key) : each.take(key, seat);
      }
      expect(placesFor(newcomer, list)).toContainEqual(room.placeFor(newcomer));
    }),
  );
});

test("keeps nothing of what left", () => {
  const room = new Room(10);
  for (let n = 0; n < 1_000; n += 1) {
    room.take(`${n}`, { trust: "announced", origin: `${n % 7}` });
    room.leave(`${n}`);
  }
  expect(room.placeFor({ trust: "identified", origin: "0" })).toBe("free");
});

test("has a share of a thousand for one origin, however much room there is", () => {
  const room = new Room(10_000);
  const flood: Seat = { trust: "announced", origin: "flood" };
  for (let n = 0; n < 1_000; n += 1) room.take(`${n}`, flood);
  expect(room.placeFor(flood)).toBe("none");
  expect(room.placeFor({ ...flood, origin: "other" })).toBe("free");
});
