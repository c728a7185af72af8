import { describe, expect, test } from "vitest";
import { DialPlan } from "../src/membership/dial-plan.ts";

const url = "ws://10.0.0.2:7946";
const minuteMs = 60_000;

/** A plan and the members that have a link. */
function planned() {
  const served = new Set<string>();
  const plan = new DialPlan({
    random: () => 0.5,
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
