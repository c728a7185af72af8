import { maxEntries } from "@lmserv/discovery-store";
import { describe, expect, test } from "vitest";
import { bucketName, isAtLeast } from "../src/bucket.ts";
import { NodeTable } from "../src/node-table.ts";
import { timingOf } from "../src/timing.ts";

describe("the node table", () => {
  test("tells what is news, and what has run out", () => {
    const nodeTable = new NodeTable();
    expect(nodeTable.put("a", "1", 1_000)).toBe(true);
    expect(nodeTable.put("b", "1", 1_100)).toBe(true);
    expect(nodeTable.put("a", "1", 1_500)).toBe(false);
    expect(nodeTable.put("a", "2", 1_600)).toBe(true);
    expect(nodeTable.expire(1_099)).toEqual([]);
    expect(nodeTable.expire(1_100)).toEqual(["b"]);
    expect(nodeTable.expire(1_599)).toEqual([]);
    expect(nodeTable.endOf("a")).toBe(1_600);
    expect(nodeTable.expire(9_999)).toEqual(["a"]);
    expect([...nodeTable.keys()]).toEqual([]);
  });

  test("forgets what was deleted", () => {
    const nodeTable = new NodeTable();
    nodeTable.put("a", "1", 1_000);
    expect(nodeTable.delete("a")).toBe(true);
    expect(nodeTable.delete("a")).toBe(false);
    expect(nodeTable.expire(2_000)).toEqual([]);
  });

  test("takes no more newcomers than there may be", () => {
    const nodeTable = new NodeTable();
    for (let index = 0; index <= maxEntries; index += 1) nodeTable.put(`${index}`, "1", 1_000);
    expect(nodeTable.size).toBe(maxEntries);
    expect(nodeTable.refused).toBe(1);
    expect(nodeTable.put("0", "2", 1_000)).toBe(true);
  });
});

describe("a full node table", () => {
  const perMember = 10;
  function fullTable(): NodeTable {
    const nodeTable = new NodeTable();
    for (let index = 0; index < maxEntries; index += 1) {
      nodeTable.put(`m${index % (maxEntries / perMember)}.${index}`, "1", 1_000);
    }
    return nodeTable;
  }

  test("gives a newcomer the latest place of a member with most", () => {
    const nodeTable = fullTable();
    const loser = nodeTable.loserTo("new.1") ?? "";
    expect(nodeTable.endOf(loser)).toBe(1_000);
    nodeTable.displace(loser);
    expect(nodeTable.put("new.1", "1", 1_000)).toBe(true);
    expect([nodeTable.has(loser), nodeTable.size, nodeTable.refused]).toEqual([false, maxEntries, 1]);
  });

  test("gives a member with as many no further place, and its own value the place that it has", () => {
    const nodeTable = fullTable();
    expect(nodeTable.loserTo("m0.x")).toBeNull();
    expect(nodeTable.put("m0.x", "1", 1_000)).toBe(false);
    expect(nodeTable.loserTo("m0.0")).toBeNull();
    expect(nodeTable.put("m0.0", "2", 1_000)).toBe(true);
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
