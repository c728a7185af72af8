import { silentLog } from "@lmserv/discovery-core";
import type { EngineEvent } from "@lmserv/discovery-fleet";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import type { Link } from "../src/link.ts";
import { timingOf } from "../src/timing.ts";
import { type Past, View } from "../src/view.ts";

const lifetimeMs = 10_000;
/** The server's clock has nothing to do with ours. */
const serverStartMs = 1_700_000_000_000;

let clock: VirtualClock;
let events: EngineEvent[];
let failures: string[];
/** What a look at it finds. */
let present: readonly string[];
let view: View;
/** Begins a view, after another one. */
let follow: (past: Past | null) => void;

beforeEach(() => {
  clock = new VirtualClock();
  events = [];
  failures = [];
  const link = {
    bucket: { name: "lmserv_tests", lifetimeMs, tellsExpiry: false },
    timing: timingOf(lifetimeMs),
    watch: () => Promise.resolve(() => {}),
    look: async () => new Set(present),
    fail: (reason: Error) => failures.push(reason.message),
  } as unknown as Link; // As much of one as a view uses.
  const context = {
    via: "nats",
    cluster: "tests",
    lifetimeMs,
    clock,
    random: () => 0.5,
    log: silentLog,
    report: () => {},
  };
  follow = (past) => {
    view = new View(
      link,
      context,
      () => false,
      past,
      (event) => events.push(event),
    );
    view.start();
    view.begin(serverStartMs + clock.now());
  };
  follow(null);
});

/** A value arrives that was put at this time of the server's, counted from the start. */
function put(key: string, atMs: number): void {
  view.put(key, "value", serverStartMs + atMs);
  view.heard(serverStartMs + atMs);
}

const deleted = (): readonly string[] =>
  events.flatMap((event) => (event.kind === "delete" ? [event.key] : []));

describe("what is seen of a bucket", () => {
  test("is a snapshot in which nothing is older than its life", () => {
    put("old", -lifetimeMs - 1);
    put("young", -lifetimeMs + 1);
    view.complete();
    expect(events).toEqual([{ kind: "snapshot", entries: [{ key: "young", value: "value" }] }]);
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
    expect(events.filter(({ kind }) => kind === "delete")).toEqual([
      { kind: "delete", key: "left", wasRemoved: true },
      { kind: "delete", key: "died", wasRemoved: false },
    ]);
  });

  test("ends when the server has been heard after that, and not before", async () => {
    put("a", 0);
    view.complete();
    for (let ms = 2_000; ms <= lifetimeMs + 2_000; ms += 2_000) {
      await clock.advance(2_000);
      put("other", ms);
      expect(deleted()).toEqual(ms < lifetimeMs ? [] : ["a"]);
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
      expect(deleted()).toEqual(readMs < lifetimeMs ? [] : ["dead"]);
    }
    expect(deleted()).toEqual(["dead"]);
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
    expect(deleted()).toEqual([]);
    const endMs = 9_500 + timingOf(lifetimeMs).graceMs;
    for (let ms = 11_500; ms < endMs + 500; ms += 500) {
      expect(deleted()).toEqual([]);
      await clock.advance(500);
      put("a", ms);
    }
    expect(deleted()).toEqual(["c"]);
    expect(failures).toEqual([]);
  });

  test("is begun anew when nothing was heard for a while, whoever stood still", async () => {
    put("a", 0);
    view.complete();
    await clock.advance(timingOf(lifetimeMs).deafMs + 1);
    expect(failures).toHaveLength(1);
    expect(deleted()).toEqual([]);
  });

  test("does not mind that somebody sets the server's clock", async () => {
    put("a", 0);
    put("b", 0);
    view.complete();
    for (let step = 1; step <= 8; step += 1) {
      await clock.advance(1_000);
      put("a", 3_600_000 + step * 1_000);
    }
    expect(deleted()).toEqual([]);
    await clock.advance(2_500);
    put("a", 3_700_000);
    expect(deleted()).toEqual(["b"]);
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

describe("after another link", () => {
  const { spareMs, graceMs } = timingOf(lifetimeMs);
  const snapshotOf = (...keys: string[]) => ({
    kind: "snapshot",
    entries: keys.map((key) => ({ key, value: "value" })),
  });
  const loss = expect.objectContaining({ kind: "lost" });

  /** Nothing was heard for a while of a bucket in which these had been put. */
  async function resume(awayMs: number): Promise<void> {
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    const past = view.stop();
    events.length = 0;
    await clock.advance(awayMs);
    follow(past);
  }

  test("says nothing of a time in which nobody was lost", async () => {
    await resume(spareMs + 1_000);
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    expect(events).toEqual([snapshotOf("a", "b")]);
  });

  test("says that the bucket forgot one whose life is not over", async () => {
    await resume(3_000);
    put("b", -1_000);
    view.complete();
    expect(events).toEqual([loss, snapshotOf("b")]);
  });

  test.each(["left", "was told to have run out"])("misses none who %s", async (how) => {
    await resume(3_000);
    put("b", -1_000);
    if (how === "left") view.delete("a");
    else view.expired("a");
    view.complete();
    expect(events).toEqual([snapshotOf("b")]);
  });

  test("misses none who died, unless nobody could renew anything for as long", async () => {
    put("dead", -lifetimeMs + 1_000);
    await resume(spareMs - 2_000);
    put("a", 2_000);
    put("b", 2_000);
    view.complete();
    expect(events).toEqual([snapshotOf("a", "b")]);
    await resume(2 * lifetimeMs);
    view.complete();
    expect(events).toEqual([loss, snapshotOf()]);
  });

  test("waits for those who were away as long before anything runs out", async () => {
    await resume(7_000);
    put("a", -2_000);
    put("b", -1_000);
    view.complete();
    const backMs = clock.now();
    while (deleted().length === 0) {
      await clock.advance(500);
      put("other", clock.now());
    }
    expect(deleted()).toEqual(["a", "b"]);
    expect(clock.now() - backMs).toBe(Math.ceil(graceMs / 500) * 500);
  });
});
