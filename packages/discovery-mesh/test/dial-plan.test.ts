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
    plan.learn("member", [url], {}, 0);
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
      Array.from({ length: 256 }, (_, index) => `ws://10.0.1.${index}:7946`),
      0,
    );
    expect(plan.take(0)).toHaveLength(32);
    expect(plan.take(0)).toEqual([]);
  });
});

describe("where others merely say that members are", () => {
  const liar = { teller: "liar" };
  /** Dials what is due, in vain unless `answers`; how often each host was dialled. */
  function play(
    plan: DialPlan,
    served: Set<string>,
    fromMs: number,
    toMs: number,
    answers = "none",
  ): Map<string, number> {
    const counts = new Map<string, number>();
    for (let nowMs = fromMs; nowMs < toMs; nowMs = Math.max(nowMs + 1, plan.nextMs())) {
      for (const dialled of plan.take(nowMs)) {
        const { hostname } = new URL(dialled);
        counts.set(hostname, (counts.get(hostname) ?? 0) + 1);
        if (hostname !== answers) plan.failed(dialled, nowMs);
        else {
          served.add("honest");
          plan.linked("honest", dialled, nowMs);
        }
      }
    }
    return counts;
  }
  const sum = (counts: ReadonlyMap<string, number>): number =>
    [...counts.values()].reduce((a, b) => a + b, 0);

  test("one host is dialled a handful of times in ten seconds, at however many ports", () => {
    const { plan, served } = planned();
    for (let n = 0; n < 1_000; n += 1) plan.learn(`made up ${n}`, [`ws://10.0.0.9:${n + 1}`], liar, 0);
    expect(play(plan, served, 0, 10_000).get("10.0.0.9")).toBe(7);
    expect(play(plan, served, 10_000, 70_000).get("10.0.0.9")).toBeLessThanOrEqual(8);
  });

  test("names of one domain are one host", () => {
    const { plan, served } = planned();
    for (let n = 0; n < 1_000; n += 1) plan.learn(`made up ${n}`, [`wss://h${n}.evil.example:443`], liar, 0);
    expect(sum(play(plan, served, 0, 10_000))).toBe(7);
  });

  test("ten thousand made-up members are a few dials each, and a bounded number in all", () => {
    const { plan, served } = planned();
    const counts = new Map<string, number>();
    for (let second = 0; second < 30; second += 1) {
      for (let n = 0; n < 333; n += 1) {
        const id = second * 333 + n;
        plan.learn(`made up ${id}`, [`ws://10.1.${id >> 8}.${id & 255}:7946`], liar, second * 1_000);
      }
      for (const [host, count] of play(plan, served, second * 1_000, (second + 1) * 1_000)) {
        counts.set(host, (counts.get(host) ?? 0) + count);
      }
    }
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(5);
    // 64 at once, and eight a second.
    expect(sum(counts)).toBeLessThanOrEqual(64 + 30 * 8);
    // One that another member tells of does not wait for them.
    plan.learn("honest", ["ws://10.0.0.2:7946"], { teller: "honest too" }, 30_000);
    expect(play(plan, served, 30_000, 30_001, "10.0.0.2").get("10.0.0.2")).toBe(1);
  });

  test("where a member answered goes on to be dialled, and so does a seed", () => {
    const { plan, served } = planned();
    plan.learn("member", ["ws://10.0.0.9:7946"], {}, 0);
    plan.take(0);
    served.add("member");
    plan.linked("member", "ws://10.0.0.9:7946", 0);
    for (let n = 0; n < 2_000; n += 1) plan.learn(`made up ${n}`, [`ws://10.0.0.9:${n + 8_000}`], liar, 1);
    play(plan, served, 1, 5_000);
    served.delete("member");
    plan.unlinked("member", 5_000);
    plan.seed(["ws://10.0.0.9:80"], 5_000);
    expect(plan.take(10_000)).toEqual(expect.arrayContaining(["ws://10.0.0.9:7946", "ws://10.0.0.9:80"]));
  });

  test("all members of a host are dialled at once where each answers", () => {
    const { plan, served } = planned();
    const urls = Array.from({ length: 40 }, (_, index) => `ws://10.0.0.2:${index + 1}`);
    for (const url of urls) plan.learn(url, [url], { teller: "honest" }, 0);
    const dialled: string[] = [];
    for (let next = plan.take(0); next.length > 0; next = plan.take(0)) {
      for (const url of next) {
        served.add(url);
        plan.linked(url, url, 0);
      }
      dialled.push(...next);
    }
    expect(dialled.sort()).toEqual(urls.sort());
  });
});

describe("where a member was", () => {
  test("is dialled every 8 s at least for ten minutes, then every minute, and after a day no more", () => {
    const longest = 1 - Number.EPSILON;
    const { plan, served } = planned(longest);
    plan.learn("member", [url], {}, 0);
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
