import { describe, expect, test } from "vitest";
import { HostBudget } from "../src/host-budget.ts";

const options = { burst: 4, restMs: 5_000, maxRestMs: 30_000 };

/** Attempts at a host that never answers, each as soon as it may begin. */
function attempts(budget: HostBudget, host: string, untilMs: number): number[] {
  const times: number[] = [];
  let nowMs = 0;
  while (nowMs < untilMs) {
    if (budget.take(host, nowMs)) times.push(nowMs);
    nowMs = Math.max(nowMs, budget.dueMs(host));
  }
  return times;
}

describe("a host that does not answer", () => {
  test("is tried four times, and then ever more seldom", () => {
    const times = attempts(new HostBudget(options), "10.0.0.9", 200_000);
    expect(times).toEqual([0, 0, 0, 0, 5, 15, 35, 65, 95, 125, 155, 185].map((second) => second * 1_000));
  });

  test("does not keep others from being tried", () => {
    const budget = new HostBudget(options);
    attempts(budget, "10.0.0.9", 60_000);
    expect([budget.take("10.0.0.9", 60_000), budget.take("10.0.0.10", 60_000)]).toEqual([false, true]);
  });

  test("is tried like a new one after it was left alone", () => {
    const budget = new HostBudget(options);
    attempts(budget, "10.0.0.9", 36_000);
    const again = Array.from({ length: 5 }, () => budget.take("10.0.0.9", 35_000 + 60_000));
    expect(again).toEqual([true, true, true, true, false]);
  });
});

test("attempts that find what they seek do not count, one each", () => {
  const budget = new HostBudget(options);
  for (let server = 0; server < 100; server += 1) {
    expect(budget.take("10.0.0.9", 0)).toBe(true);
    budget.giveBack("10.0.0.9");
  }
  budget.giveBack("10.0.0.9");
  budget.giveBack("10.0.0.8");
  expect(attempts(budget, "10.0.0.9", 1_000)).toHaveLength(4);
});

test("no more than 4,096 hosts are remembered", () => {
  const budget = new HostBudget(options);
  for (let host = 0; host < 10_000; host += 1) budget.take(`host ${host}`, host);
  expect(budget.size).toBe(4_096);
});
