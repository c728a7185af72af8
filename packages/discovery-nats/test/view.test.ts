import { silentLog } from "@lmserv/discovery-core";
import type { EngineEvent } from "@lmserv/discovery-fleet";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import type { Link } from "../src/link.ts";
import { timingOf } from "../src/timing.ts";
import { View } from "../src/view.ts";

const lifetimeMs = 10_000;
/** The server's clock has nothing to do with ours. */
const serverStartMs = 1_700_000_000_000;

let clock: VirtualClock;
let events: EngineEvent[];
let failures: string[];
/** What a look at it finds. */
let bucket: { readonly created: string; readonly keys: readonly string[] };
let view: View;

beforeEach(() => {
  clock = new VirtualClock();
  events = [];
  failures = [];
  const link = {
    bucket: { name: "lmserv_tests", created: "then", lifetimeMs, tellsExpiry: false },
    timing: timingOf(lifetimeMs),
    watch: () => Promise.resolve(() => {}),
    look: async () => ({ created: bucket.created, keys: new Set(bucket.keys) }),
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
  view = new View(
    link,
    context,
    () => false,
    (event) => events.push(event),
  );
  view.start();
  view.begin(serverStartMs);
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
    [
      "a value that is listed is not in the bucket any more",
      { created: "then", keys: ["a"] },
      "values were taken out unseen",
    ],
    ["the bucket is another one", { created: "now", keys: ["a", "b"] }, "the bucket was replaced"],
    ["all is as it should be", { created: "then", keys: ["a", "b", "deleted"] }, null],
  ])("is compared with the bucket every few minutes: %s", async (_, found, failure) => {
    bucket = found;
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
