import { sleep } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, expect, test } from "vitest";

let clock: VirtualClock;
let log: string[];
const never = new AbortController().signal;

beforeEach(() => {
  clock = new VirtualClock();
  log = [];
});

const note = (word: string) => () => void log.push(`${word} at ${clock.now()}`);

test("stands still until it is advanced", async () => {
  clock.schedule(0, note("now"));
  expect(clock.now()).toBe(0);
  expect(log).toEqual([]);
  await clock.advance(0);
  expect(log).toEqual(["now at 0"]);
});

test("fires timers in the order of their times, equal ones as they were set", async () => {
  clock.schedule(20, note("third"));
  clock.schedule(10, note("first"));
  clock.schedule(10, note("second"));
  clock.schedule(-5, note("at once"));
  await clock.advance(20);
  expect(log).toEqual(["at once at 0", "first at 10", "second at 10", "third at 20"]);
  expect(clock.now()).toBe(20);
});

test("fires nothing before its time", async () => {
  clock.schedule(10, note("late"));
  await clock.advance(9);
  expect(log).toEqual([]);
  await clock.advance(1);
  expect(log).toEqual(["late at 10"]);
});

test("lets promises run between timers, and what they schedule takes part", async () => {
  const walk = async (): Promise<void> => {
    for (const word of ["one", "two", "three"]) {
      await sleep(clock, 10, never);
      await Promise.resolve();
      note(word)();
    }
  };
  walk();
  clock.schedule(25, note("between"));
  await clock.advance(100);
  expect(log).toEqual(["one at 10", "two at 20", "between at 25", "three at 30"]);
});

test("counts the timers that wait", async () => {
  const cancel = clock.schedule(10, note("cancelled"));
  clock.schedule(20, note("fired"));
  expect(clock.pending).toBe(2);
  cancel();
  expect(clock.pending).toBe(1);
  await clock.advance(20);
  expect(clock.pending).toBe(0);
  expect(log).toEqual(["fired at 20"]);
});

test("lets a timer cancel another that is due at the same time", async () => {
  const cancel: { other?: () => void } = {};
  clock.schedule(10, () => cancel.other?.());
  cancel.other = clock.schedule(10, note("cancelled"));
  await clock.advance(10);
  expect(log).toEqual([]);
});

test("tells wall time apart from monotonic time when the host sleeps", async () => {
  const wallMs = clock.wall();
  clock.schedule(1_000, note("awake"));
  clock.sleepHost(3_600_000);
  expect(clock.now()).toBe(0);
  expect(clock.wall()).toBe(wallMs + 3_600_000);
  await clock.advance(1_000);
  expect(log).toEqual(["awake at 1000"]);
  expect(clock.wall()).toBe(wallMs + 3_601_000);
});

test("passes on what a timer throws and can be advanced again", async () => {
  clock.schedule(10, () => {
    throw new Error("broken");
  });
  clock.schedule(20, note("next"));
  await expect(clock.advance(20)).rejects.toThrow("broken");
  await clock.advance(20);
  expect(log).toEqual(["next at 20"]);
});

test("refuses to go back, to be advanced twice at once, and to run in circles", async () => {
  await expect(clock.advance(-1)).rejects.toThrow(RangeError);
  const advancing = clock.advance(10);
  await expect(clock.advance(10)).rejects.toThrow(TypeError);
  await advancing;
  const again = (): void => void clock.schedule(0, again);
  again();
  await expect(clock.advance(1)).rejects.toThrow(/more than 100000 timers/);
});

test("stops at the timer that brings about what is waited for", async () => {
  for (const atMs of [10, 20, 30]) clock.schedule(atMs, note("fired"));
  expect(await clock.advanceUntil(() => log.length === 2, 100)).toBe(true);
  expect(clock.now()).toBe(20);
  expect(await clock.advanceUntil(() => log.length === 2, 100)).toBe(true);
  expect(clock.now()).toBe(20);
  expect(await clock.advanceUntil(() => log.length === 9, 100)).toBe(false);
  expect(clock.now()).toBe(120);
});
