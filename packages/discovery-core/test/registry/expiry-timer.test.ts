import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { type Clock, Registry } from "../../src/authors.ts";
import { ExpiryTimer } from "../../src/registry/expiry-timer.ts";
import { alive, at } from "../observations.ts";

let clock: VirtualClock;
let registry: Registry;
let timer: ExpiryTimer;
/** Events, each with its time: `30000 box expired`, `30000 doubt box`. */
let events: string[];
/** Count of armed timers. */
let timers: number;
/** Timers that would have fired during a stall, or null. */
let held: (() => void)[] | null;

beforeEach(() => {
  clock = new VirtualClock();
  registry = new Registry();
  events = [];
  timers = 0;
  held = null;
  const stallable: Clock = {
    now: () => clock.now(),
    wall: () => clock.wall(),
    schedule(delayMs, callback) {
      timers += 1;
      return clock.schedule(delayMs, () => (held ? held.push(callback) : callback()));
    },
  };
  timer = new ExpiryTimer(registry, stallable, {
    publish: (changes) => {
      for (const { node, kind } of changes) events.push(`${clock.now()} ${kind} ${node.id}`);
    },
    doubt: (keys) => events.push(`${clock.now()} doubt ${keys.join(" ")}`),
  });
});

function hear(id: string, ttlMs: number): void {
  registry.apply(alive({ key: id, id, ttlMs, addresses: [at(`10.0.0.${id.length}`)] }), clock.now());
  timer.arm();
}

/** Lets time pass without timers until its end: the process was stopped, or kept busy. */
async function stall(ms: number): Promise<void> {
  const late: (() => void)[] = [];
  held = late;
  await clock.advance(ms);
  held = null;
  for (const callback of late) callback();
}

describe("a node that is heard no more", () => {
  test("ends at its deadline", async () => {
    hear("box", 30_000);
    await clock.advance(29_999);
    expect(events).toEqual([]);
    await clock.advance(1);
    expect(events).toEqual(["30000 down box"]);
  });

  test("ends before one with a later deadline that was heard first", async () => {
    hear("long", 4_000);
    hear("box", 1_000);
    await clock.advance(4_000);
    expect(events).toEqual(["1000 down box", "4000 down long"]);
  });

  test("stays when it is heard in time", async () => {
    hear("box", 1_000);
    await clock.advance(900);
    hear("box", 1_000);
    await clock.advance(900);
    expect(events).toEqual([]);
    await clock.advance(100);
    expect(events).toEqual(["1900 down box"]);
  });
});

describe("a host that slept", () => {
  test("asks for its nodes, and ends those that do not answer within 10 s", async () => {
    hear("box", 60_000);
    hear("crashed", 60_000);
    await clock.advance(10_000);
    clock.sleepHost(3_600_000);
    await clock.advance(5_000);
    expect(events).toEqual(["15000 doubt box crashed"]);
    hear("box", 60_000);
    await clock.advance(45_000);
    expect(events).toEqual(["15000 doubt box crashed", "60000 down crashed"]);
  });

  test("ends nothing before that, however overdue", async () => {
    hear("box", 6_000);
    await clock.advance(4_000);
    clock.sleepHost(3_600_000);
    await clock.advance(10_999);
    expect(events).toEqual(["5000 doubt box"]);
    await clock.advance(4_001);
    expect(events).toEqual(["5000 doubt box", "15000 down box"]);
  });

  test("notices it also by a timer that fires late", async () => {
    hear("box", 3_000);
    await stall(3_600_000);
    expect(events).toEqual(["3600000 doubt box"]);
    await clock.advance(10_000);
    expect(events).toEqual(["3600000 doubt box", "3610000 down box"]);
  });

  test("notices it also when a node is heard before the timer fires", async () => {
    hear("box", 60_000);
    clock.sleepHost(3_600_000);
    hear("short", 1_000);
    await clock.advance(1_000);
    expect(events).toEqual(["1000 doubt box short"]);
  });

  test("keeps a node that answers", async () => {
    hear("box", 3_000);
    await stall(60_000);
    hear("box", 30_000);
    await clock.advance(29_999);
    expect(events).toEqual(["60000 doubt box"]);
    await clock.advance(1);
    expect(events).toEqual(["60000 doubt box", "90000 down box"]);
  });

  test("is not suspected for a small delay, nor for a clock that was set back", async () => {
    hear("box", 8_000);
    clock.sleepHost(2_000);
    await clock.advance(5_000);
    clock.sleepHost(-3_600_000);
    await clock.advance(3_000);
    expect(events).toEqual(["8000 down box"]);
  });

  test("is not suspected for what happened while nothing was listed", async () => {
    await clock.advance(1_000);
    clock.sleepHost(3_600_000);
    hear("box", 3_000);
    await clock.advance(3_000);
    expect(events).toEqual(["4000 down box"]);
  });
});

describe("the timer", () => {
  test("is one, however many nodes there are", () => {
    for (let n = 1; n <= 50; n += 1) hear("x".repeat(n), 60_000 - n);
    expect([clock.pending, timers]).toEqual([1, 1]);
  });

  test("fires every 5 s while something is listed, to compare the clocks", async () => {
    hear("box", 60_000);
    await clock.advance(60_000);
    expect(timers).toBe(12);
  });

  test("rests when nothing is listed, and when it is stopped", async () => {
    timer.arm();
    expect(clock.pending).toBe(0);
    hear("box", 1_000);
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
    hear("box", 1_000);
    timer.stop();
    expect(clock.pending).toBe(0);
  });
});
