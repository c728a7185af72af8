import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { Neighbor } from "../src/neighbors/neighbor.ts";
import type { Pace } from "../src/sweep/pace.ts";
import type { Target } from "../src/sweep/plan.ts";
import { type SweepOutcome, sweep } from "../src/sweep/sweep.ts";
import { VirtualLan } from "./virtual-lan.ts";

let clock: VirtualClock;
let lan: VirtualLan;
let answers: { readonly atMs: number; readonly address: string }[];

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
  answers = [];
});

const targetsOf = (count: number): Target[] =>
  Array.from({ length: count }, (_, index) => ({
    address: `10.0.${1 + (index >> 8)}.${index & 255}`,
    from: "10.0.0.1",
  }));

interface Run {
  readonly outcome: SweepOutcome;
  /** Duration in ms. */
  readonly ms: number;
}

/** Sweeps to the end; rejects after ten minutes. */
async function run(
  count: number,
  pace: Pace = "prompt",
  signal = new AbortController().signal,
): Promise<Run> {
  const machine = lan.machine();
  const table = machine.openTable();
  const startMs = clock.now();
  const state: { end: Run | null; error: unknown } = { end: null, error: null };
  sweep({
    targets: targetsOf(count),
    pace,
    clock,
    signal,
    triggerArp: machine.triggerArp,
    tableLoad: machine.tableLoad,
    readTable: (signal) => table.read(signal),
    onAnswer: (fresh: readonly Neighbor[]) => {
      for (const { address } of fresh) answers.push({ atMs: clock.now(), address });
    },
    onProgress: () => {},
  }).then(
    (outcome) => {
      state.end = { outcome, ms: clock.now() - startMs };
    },
    (error: unknown) => {
      state.error = error;
    },
  );
  for (let step = 0; step < 60_000 && !state.end && !state.error; step += 1) await clock.advance(10);
  if (state.end) return state.end;
  throw state.error ?? new Error("the sweep did not end within ten minutes");
}

/** The kernel removes failed entries every fifteen seconds. */
function clearPeriodically(): void {
  clock.schedule(15_000, () => {
    for (const { address, atMs } of lan.arpTriggers) {
      if (!lan.hosts.has(address) && clock.now() - atMs > 3_000) lan.entries.delete(address);
    }
    clearPeriodically();
  });
}

describe("a prompt sweep", () => {
  it("asks a /24 at once, tells of who is there at once, and ends when the kernel has given up", async () => {
    for (const last of [3, 77, 250]) lan.add(`10.0.1.${last}`, { known: false });
    const { outcome, ms } = await run(253);
    expect(outcome).toEqual({ addresses: 253, asked: 253, answered: 3, halt: null, failure: null });
    expect(new Set(lan.arpTriggers.map(({ atMs }) => atMs))).toEqual(new Set([0]));
    expect(answers.map(({ address }) => address)).toEqual(["10.0.1.3", "10.0.1.77", "10.0.1.250"]);
    for (const { atMs } of answers) expect(atMs).toBeLessThanOrEqual(10);
    expect(ms).toBeGreaterThanOrEqual(3_100);
    expect(ms).toBeLessThan(3_400);
  });

  it("finds a host that answers late", async () => {
    const sleeper = lan.add("10.0.1.9", { known: false });
    sleeper.up = false;
    clock.schedule(2_400, () => lan.entries.set("10.0.1.9", clock.now()));
    expect((await run(20)).outcome.answered).toBe(1);
  });

  it("never has more than 256 unresolved, nor more in the table than it bears", async () => {
    clearPeriodically();
    const { outcome, ms } = await run(1_000);
    expect(outcome).toMatchObject({ asked: 1_000, halt: null });
    expect(lan.mostUnresolved).toBe(256);
    expect(lan.mostEntries).toBeLessThanOrEqual(480);
    expect(ms).toBeLessThan(45_000);
  });

  it("asks a few at a time where permanent entries of others fill the table", async () => {
    lan.load = { entries: 2_500, softLimit: 512, hardLimit: 1_024, clearings: 0, refusals: 0 };
    const { outcome, ms } = await run(253);
    expect(outcome).toMatchObject({ asked: 253, halt: null });
    expect(ms).toBeLessThan(4_000);
  });

  it("gives up after half a minute where the table stays full", async () => {
    lan.load = { entries: 600, softLimit: 512, hardLimit: 1_024, clearings: 0, refusals: 0 };
    lan.isPressed = true;
    const { outcome, ms } = await run(253);
    expect(outcome.halt).toBe("full");
    expect(outcome.asked).toBeLessThan(253);
    expect(ms).toBeLessThan(120_000);
  });

  it("is gentle where the system does not tell how full its table is", async () => {
    lan.load = null;
    const { ms } = await run(253);
    expect(ms).toBeGreaterThan(5_500);
    expect(ms).toBeLessThan(7_000);
  });

  it("is called off where nearly everybody answers", async () => {
    for (const { address } of targetsOf(1_000)) lan.add(address, { known: false });
    const { outcome } = await run(1_000);
    expect(outcome.halt).toBe("crowded");
    expect(outcome.asked).toBeLessThan(1_000);
  });

  it("is not called off in a small subnet that is full", async () => {
    for (const { address } of targetsOf(14)) lan.add(address, { known: false });
    expect((await run(14)).outcome).toMatchObject({ answered: 14, halt: null });
  });

  it("goes on where the system refuses to send, and tells what it said", async () => {
    lan.triggerFailure = Object.assign(new Error("send EPERM"), { code: "EPERM" });
    const { outcome } = await run(20);
    expect(outcome).toMatchObject({ asked: 20, answered: 0, failure: { code: "EPERM" } });
  });

  it("waits where the system has no room for what it sends", async () => {
    lan.load = { entries: 2_500, softLimit: 512, hardLimit: 1_024, clearings: 0, refusals: 0 };
    lan.triggerFailure = Object.assign(new Error("send ENOBUFS"), { code: "ENOBUFS" });
    const { outcome, ms } = await run(96);
    expect(outcome).toMatchObject({ asked: 96, failure: { code: "ENOBUFS" } });
    expect(ms).toBeGreaterThanOrEqual(1_000 + 3_100);
  });

  it("ends with the signal's own reason", async () => {
    const controller = new AbortController();
    clock.schedule(500, () => controller.abort("enough"));
    await expect(run(253, "prompt", controller.signal)).rejects.toBe("enough");
    expect(clock.pending).toBe(0);
  });
});

describe("a gentle sweep", () => {
  it("asks 80 addresses a second", async () => {
    const { ms } = await run(400, "gentle");
    expect(ms - 3_100).toBeGreaterThan(4_500);
    expect(ms - 3_100).toBeLessThan(5_500);
    for (let fromMs = 0; fromMs < 5_000; fromMs += 500) {
      const count = lan.arpTriggers.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 1_000).length;
      expect(count).toBeLessThanOrEqual(120);
    }
  });
});
