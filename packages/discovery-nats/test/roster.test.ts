import { maxEntries } from "@lmserv/discovery-store";
import { describe, expect, test } from "vitest";
import { bucketName, isAtLeast } from "../src/bucket.ts";
import { Roster } from "../src/roster.ts";
import { timingOf } from "../src/timing.ts";

describe("the roster", () => {
  test("tells what is news, and what has run out", () => {
    const roster = new Roster();
    expect(roster.put("a", "1", 1_000)).toBe(true);
    expect(roster.put("b", "1", 1_100)).toBe(true);
    expect(roster.put("a", "1", 1_500)).toBe(false);
    expect(roster.put("a", "2", 1_600)).toBe(true);
    expect(roster.expire(1_099)).toEqual([]);
    expect(roster.expire(1_100)).toEqual(["b"]);
    expect(roster.expire(1_599)).toEqual([]);
    expect(roster.endOf("a")).toBe(1_600);
    expect(roster.expire(9_999)).toEqual(["a"]);
    expect([...roster.keys()]).toEqual([]);
  });

  test("forgets what was deleted", () => {
    const roster = new Roster();
    roster.put("a", "1", 1_000);
    expect(roster.delete("a")).toBe(true);
    expect(roster.delete("a")).toBe(false);
    expect(roster.expire(2_000)).toEqual([]);
  });

  test("takes no more newcomers than there may be", () => {
    const roster = new Roster();
    for (let index = 0; index <= maxEntries; index += 1) roster.put(`${index}`, "1", 1_000);
    expect(roster.size).toBe(maxEntries);
    expect(roster.refused).toBe(1);
    expect(roster.put("0", "2", 1_000)).toBe(true);
  });
});

describe("a full roster", () => {
  const perMember = 10;
  function fullRoster(): Roster {
    const roster = new Roster();
    for (let index = 0; index < maxEntries; index += 1) {
      roster.put(`m${index % (maxEntries / perMember)}.${index}`, "1", 1_000);
    }
    return roster;
  }

  test("gives a newcomer the latest place of a member with most", () => {
    const roster = fullRoster();
    const loser = roster.loserTo("new.1") ?? "";
    expect(roster.endOf(loser)).toBe(1_000);
    roster.displace(loser);
    expect(roster.put("new.1", "1", 1_000)).toBe(true);
    expect([roster.has(loser), roster.size, roster.refused]).toEqual([false, maxEntries, 1]);
  });

  test("gives a member with as many no further place, and its own value the place that it has", () => {
    const roster = fullRoster();
    expect(roster.loserTo("m0.x")).toBeNull();
    expect(roster.put("m0.x", "1", 1_000)).toBe(false);
    expect(roster.loserTo("m0.0")).toBeNull();
    expect(roster.put("m0.0", "2", 1_000)).toBe(true);
  });
});

describe("what is derived", () => {
  test.each([
    ["default", "lmserv_default"],
    ["Lab-1", "lmserv_Lab-1"],
    ["a.b_c", "lmserv_a_2eb_5fc"],
    ["*>/$", "lmserv__2a_3e_2f_24"],
  ])("the bucket of %j is %s", (cluster, bucket) => expect(bucketName(cluster)).toBe(bucket));

  test.each([
    ["2.9.10", true],
    ["2.9.0", true],
    ["2.10.0-RC.1", true],
    ["3.0.0", true],
    ["2.8.4", false],
    ["1.9.9", false],
    ["nonsense", false],
  ])("release %s is new enough: %s", (version, is) => expect(isAtLeast(version, [2, 9, 0])).toBe(is));

  test.each([2_000, 5_000, 30_000, 60_000, 3_600_000, 86_400_000])(
    "with a lifetime of %d ms a loss is known before what could not be renewed runs out",
    (lifetimeMs) => {
      const { renewMs, deafMs, heartbeatMs, spareMs } = timingOf(lifetimeMs);
      expect(renewMs * 1.2).toBeLessThanOrEqual(lifetimeMs - spareMs);
      expect(deafMs).toBeLessThan(spareMs);
      expect(deafMs).toBeGreaterThanOrEqual(3 * heartbeatMs);
    },
  );
});
