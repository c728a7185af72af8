import { silentLog } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import type { ServerConnection } from "../src/server-connection.ts";
import { timingOf } from "../src/timing.ts";
import { View } from "../src/view.ts";

const lifetimeMs = 10_000;
/** The server's clock is unrelated to ours. */
const serverStartMs = 1_700_000_000_000;

let clock: VirtualClock;
/** Reports: `+` and a key, `-` for an expired one, `x` for a deleted one, `.` for a completed reading. */
let told: string[];
let failures: string[];
let losses: string[];
let reports: string[];
/** Keys in the bucket. */
let present: readonly string[];
let view: View;
let follow: () => void;

beforeEach(() => {
  clock = new VirtualClock();
  [told, failures, losses, reports] = [[], [], [], []];
  const linkOf = () =>
    ({
      bucket: { name: "lmserv_tests", lifetimeMs, tellsExpiry: false },
      timing: timingOf(lifetimeMs),
      watch: () => Promise.resolve(() => {}),
      look: async () => new Set(present),
      fail: (reason: Error) => failures.push(reason.message),
    }) as unknown as ServerConnection; // The parts of one that a view uses.
  const context = {
    via: "nats",
    cluster: "tests",
    lifetimeMs,
    clock,
    random: () => 0.5,
    log: silentLog,
    report: ({ message }: Error) => reports.push(message),
  };
  const watcher = {
    put: (key: string) => told.push(`+${key}`),
    delete: (key: string, wasRemoved: boolean) => told.push(`${wasRemoved ? "x" : "-"}${key}`),
    complete: () => told.push("."),
  };
  view = new View(context, watcher, {
    holds: () => false,
    lose: ({ message }) => losses.push(message),
  });
  follow = () => {
    view.follow(linkOf());
    view.begin(serverStartMs + clock.now());
  };
  follow();
});

/** Delivers a value that was put at this server time, counted from the start. */
function put(key: string, atMs: number): void {
  view.put(key, "value", serverStartMs + atMs);
  view.heard(serverStartMs + atMs);
}

const ended = (): readonly string[] => told.filter((one) => /^[-x]/.test(one));

describe("what is seen of a bucket", () => {
  test("begins with all of it that is no older than its life", () => {
    put("old", -lifetimeMs - 1);
    put("young", -lifetimeMs + 1);
    view.complete();
    expect(told).toEqual(["+young", "."]);
  });

  test("ends at a removal, which is told from a life that ran out", async () => {
    put("left", 0);
    put("died", 0);
    view.complete();
    view.delete("left");
    for (let ms = 2_000; ms <= lifetimeMs + 2_000; ms += 2_000) {
      await clock.advance(2_000);
      put("other", ms);
    }
    expect(ended()).toEqual(["xleft", "-died"]);
  });

  test("ends when the server has been heard after that, and not before", async () => {
    put("a", 0);
    view.complete();
    for (let ms = 2_000; ms <= lifetimeMs + 2_000; ms += 2_000) {
      await clock.advance(2_000);
      put("other", ms);
      expect(ended()).toEqual(ms < lifetimeMs ? [] : ["-a"]);
    }
    expect(failures).toEqual([]);
  });

  test("does not end while the renewals are on their way to a reader that is behind", async () => {
    put("a", 0);
    put("dead", 0);
    view.complete();
    // It reads at half the speed until it is 6 s behind, and never catches up.
    for (let nowMs = 1_000; nowMs <= 30_000; nowMs += 1_000) {
      await clock.advance(1_000);
      const readMs = Math.max(nowMs / 2, nowMs - 6_000);
      put("a", readMs);
      expect(ended()).toEqual(readMs < lifetimeMs ? [] : ["-dead"]);
    }
    expect(ended()).toEqual(["-dead"]);
    expect(failures).toEqual([]);
  });

  test("waits for the others when the first puts something after nobody could for long", async () => {
    for (const key of ["a", "b", "c"]) put(key, 0);
    view.complete();
    for (let ms = 500; ms <= 9_500; ms += 500) {
      await clock.advance(500);
      view.heard(serverStartMs + ms);
    }
    put("b", 9_500);
    await clock.advance(1_500);
    put("a", 11_000);
    expect(ended()).toEqual([]);
    const endMs = 9_500 + timingOf(lifetimeMs).graceMs;
    for (let ms = 11_500; ms < endMs + 500; ms += 500) {
      expect(ended()).toEqual([]);
      await clock.advance(500);
      put("a", ms);
    }
    expect(ended()).toEqual(["-c"]);
    expect(failures).toEqual([]);
  });

  test("is begun anew when nothing was heard for a while, whoever stood still", async () => {
    put("a", 0);
    view.complete();
    await clock.advance(timingOf(lifetimeMs).deafMs + 1);
    expect(failures).toHaveLength(1);
    expect(ended()).toEqual([]);
  });

  test("does not mind that somebody sets the server's clock", async () => {
    put("a", 0);
    put("b", 0);
    view.complete();
    for (let step = 1; step <= 8; step += 1) {
      await clock.advance(1_000);
      put("a", 3_600_000 + step * 1_000);
    }
    expect(ended()).toEqual([]);
    await clock.advance(2_500);
    put("a", 3_700_000);
    expect(ended()).toEqual(["-b"]);
  });

  test.each([
    ["a value that is listed is not in it", ["a"], "values were taken out unseen"],
    ["all is as it should be", ["a", "b", "deleted"], null],
  ])("is compared with the bucket every few minutes: %s", async (_, found, failure) => {
    present = found;
    put("a", 0);
    put("b", 0);
    view.complete();
    for (let ms = 1_000; ms <= 7 * 60_000; ms += 1_000) {
      await clock.advance(1_000);
      put("a", ms);
      put("b", ms);
    }
    expect(failures.slice(0, 1)).toEqual(failure === null ? [] : [failure]);
  });
});

describe("values that nobody renews any more", () => {
  async function idle(untilMs: number): Promise<void> {
    for (let ms = clock.now() + 500; ms <= untilMs; ms += 500) {
      await clock.advance(500);
      view.heard(serverStartMs + ms);
    }
  }

  test("of several at once are the server's fault, for two lifetimes", async () => {
    for (const key of ["a", "b", "c"]) put(key, 0);
    view.complete();
    await idle(2 * lifetimeMs - 500);
    expect({ ended: ended(), reports }).toEqual({
      ended: [],
      reports: [expect.stringContaining("the disk of NATS may be full")],
    });
    await idle(2 * lifetimeMs + 500);
    expect([...ended()].sort()).toEqual(["-a", "-b", "-c"]);
    expect(reports).toHaveLength(1);
  });

  test("of one are its end", async () => {
    put("a", 0);
    view.complete();
    await idle(lifetimeMs);
    expect({ ended: ended(), reports }).toEqual({ ended: ["-a"], reports: [] });
  });
});

describe("after another link", () => {
  const { graceMs } = timingOf(lifetimeMs);

  /** Resumes after a silence, with these values in the bucket. */
  async function resume(awayMs: number): Promise<void> {
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    view.leave();
    told.length = 0;
    await clock.advance(awayMs);
    follow();
  }

  test("says nothing of a time in which nobody was lost", async () => {
    await resume(3_000);
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    expect({ told, losses }).toEqual({ told: ["."], losses: [] });
  });

  test("a bucket that forgot one whose life is not over is another one", async () => {
    await resume(3_000);
    put("b", -1_000);
    view.complete();
    expect(told).toEqual([]);
    expect(losses).toEqual([expect.stringContaining("was made anew")]);
  });

  test.each([
    ["left", (): void => view.delete("a"), ["xa", "."]],
    ["was told to have run out", (): void => view.expired("a"), ["."]],
  ])("one who %s meanwhile was not forgotten", async (_, happen, expected) => {
    await resume(3_000);
    put("b", -1_000);
    happen();
    view.complete();
    expect({ told, losses }).toEqual({ told: expected, losses: [] });
  });

  test("waits for those who were away as long before anything runs out", async () => {
    await resume(7_000);
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    const backMs = clock.now();
    while (ended().length === 0) {
      await clock.advance(500);
      put("other", clock.now());
    }
    expect(ended()).toEqual(["-a", "-b"]);
    expect(clock.now() - backMs).toBe(Math.ceil(graceMs / 500) * 500);
  });
});
