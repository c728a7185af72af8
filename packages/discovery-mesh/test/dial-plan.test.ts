import { describe, expect, test } from "vitest";
import { DialPlan } from "../src/membership/dial-plan.ts";

const url = "ws://10.0.0.2:7946";
const minuteMs = 60_000;

/** A plan and the members that have a link; with the dice at 0.5, a delay is half of what it may be. */
function planned(random = 0.5) {
  const served = new Set<string>();
  const plan = new DialPlan({
    random: () => random,
    isServed: (id) => served.has(id),
    isAlone: () => served.size === 0,
  });
  return { plan, served };
}

/** Dials whatever is due, in vain, for so long; when each dial began. */
function dialsInVain(plan: DialPlan, fromMs: number, toMs: number): number[] {
  const times: number[] = [];
  for (let nowMs = Math.max(fromMs, plan.nextMs()); nowMs < toMs; nowMs = plan.nextMs()) {
    for (const dialled of plan.take(nowMs)) {
      times.push(nowMs);
      plan.failed(dialled, nowMs);
    }
  }
  return times;
}

describe("where another medium tells of a member", () => {
  test("is dialled at once, and ever more seldom where none answers", () => {
    const { plan } = planned();
    plan.suggest([url], 0);
    const times = dialsInVain(plan, 0, 60 * minuteMs);
    expect(times[0]).toBe(0);
    expect(times.filter((timeMs) => timeMs < minuteMs).length).toBeLessThan(10);
    // Half a minute apart on average, for the jitter is full.
    expect(times.filter((timeMs) => timeMs >= 10 * minuteMs)).toHaveLength(100);
  });

  test("is dialled far less often than a seed while there is nobody", () => {
    const [candidate, seed] = [planned().plan, planned().plan];
    candidate.suggest([url], 0);
    seed.seed([url], 0);
    const [seldom, often] = [candidate, seed].map((plan) => dialsInVain(plan, 0, 60 * minuteMs).length);
    expect(seldom).toBeLessThan((often ?? 0) / 5);
  });

  test("is not dialled once it has gone there", () => {
    const { plan } = planned();
    plan.suggest([url], 0);
    plan.suggest([], 1);
    expect(plan.take(1)).toEqual([]);
    expect(plan.nextMs()).toBe(Number.POSITIVE_INFINITY);
  });

  test("is dialled anew, without delay, when it comes again", () => {
    const { plan } = planned();
    plan.suggest([url], 0);
    dialsInVain(plan, 0, minuteMs);
    plan.suggest([], minuteMs);
    plan.take(minuteMs);
    plan.suggest([url], minuteMs);
    expect(plan.take(minuteMs)).toEqual([url]);
  });

  test("is not dialled where a member with a link says that it is there", () => {
    const { plan, served } = planned();
    served.add("member");
    plan.learn("member", [url], 0, 0);
    plan.linked("member", null, 0);
    plan.suggest([url], 0);
    expect(plan.take(0)).toEqual([]);
  });

  test("is dialled again when whoever answered there has no link any more", () => {
    const { plan, served } = planned();
    plan.suggest([url], 0);
    expect(plan.take(0)).toEqual([url]);
    served.add("member");
    plan.linked("member", url, 0);
    expect(plan.take(minuteMs)).toEqual([]);
    served.delete("member");
    plan.unlinked("member", minuteMs);
    expect(plan.take(2 * minuteMs)).toEqual([url]);
  });

  test("is one of a bounded number of dials at a time", () => {
    const { plan } = planned();
    plan.suggest(
      Array.from({ length: 256 }, (_, index) => `ws://10.0.0.2:${index + 1}`),
      0,
    );
    expect(plan.take(0)).toHaveLength(32);
    expect(plan.take(0)).toEqual([]);
  });
});

describe("where a member was", () => {
  test("is dialled every 8 s at least for ten minutes, then every minute, and after a day no more", () => {
    const longest = 1 - Number.EPSILON;
    const { plan, served } = planned(longest);
    plan.learn("member", [url], 0, 0);
    expect(plan.take(0)).toEqual([url]);
    served.add("member");
    plan.linked("member", url, 0);
    served.delete("member");
    plan.unlinked("member", 0);
    const times = dialsInVain(plan, 0, 26 * 60 * minuteMs);
    const gaps = times.slice(1).map((timeMs, index) => ({ timeMs, gapMs: timeMs - (times[index] ?? 0) }));
    const longestUntil = (fromMs: number, toMs: number): number =>
      Math.max(...gaps.filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs).map(({ gapMs }) => gapMs));
    expect(longestUntil(0, 10 * minuteMs)).toBeCloseTo(8_000);
    expect(longestUntil(10 * minuteMs, 24 * 60 * minuteMs)).toBeCloseTo(60_000);
    expect(times.at(-1)).toBeLessThan((24 * 60 + 1) * minuteMs);
  });
});
