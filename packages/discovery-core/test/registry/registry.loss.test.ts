import { beforeEach, describe, expect, test } from "vitest";
import { type HealthReport, Registry } from "../../src/authors.ts";
import { DiscoveryError } from "../../src/index.ts";
import { alive, gone } from "../observations.ts";
import { inWords } from "./in-words.ts";

const lost = {
  kind: "lost",
  via: "mdns",
  error: new DiscoveryError("MEDIUM_UNREACHABLE", "away", { via: "mdns" }),
} as const;
const recovered = { kind: "recovered", via: "mdns" } as const;
const settled = { kind: "settled", via: "mdns" } as const;

let registry: Registry;

beforeEach(() => {
  registry = new Registry({ ttlMs: 30_000 });
});

/** Cause of each source, in the order of its transport and key. */
function stale(): (string | null)[] {
  return registry.listAlive().flatMap(({ sources }) => sources.map((source) => source.stale));
}

describe("a loss", () => {
  test("of less than two seconds is no event", () => {
    registry.apply(alive({ ttlMs: 10_000 }), 0);
    expect(registry.apply(lost, 9_000)).toEqual([]);
    expect(registry.expire(10_999)).toEqual([]);
    expect(registry.apply(recovered, 10_999)).toEqual([]);
    expect(registry.expire(12_000)).toEqual([]);
    expect(registry.apply(alive({ ttlMs: 10_000 }), 12_000)).toEqual([]);
    expect(registry.apply(settled, 12_000)).toEqual([]);
    expect(registry.nextDeadlineMs()).toBe(22_000);
  });

  test("of two seconds makes its sources stale, with the cause, and no others", () => {
    registry.apply(alive(), 0);
    registry.apply(alive({ via: "arp", key: "10.0.0.1" }), 0);
    registry.apply(lost, 5_000);
    expect(registry.nextDeadlineMs()).toBe(7_000);
    expect(inWords(registry.expire(7_000))).toEqual(["updated box"]);
    expect(stale()).toEqual([null, "MEDIUM_UNREACHABLE"]);
    expect(registry.expire(7_000)).toEqual([]);
  });

  test("keeps sources for twice their ttl, then they are unreachable", () => {
    registry.apply(alive({ ttlMs: 10_000 }), 0);
    registry.apply(lost, 9_000);
    registry.expire(28_999);
    expect(registry.size).toBe(1);
    expect(inWords(registry.expire(29_000))).toEqual(["down box unreachable"]);
    expect(registry.nextDeadlineMs()).toBe(null);
  });

  test("that repeats gives no second grace", () => {
    registry.apply(alive({ ttlMs: 10_000 }), 0);
    registry.apply(lost, 0);
    registry.apply(recovered, 15_000);
    registry.apply(lost, 16_000);
    expect(inWords(registry.expire(20_000))).toEqual(["down box unreachable"]);
  });

  test("does not end a node that still answers its checks", () => {
    registry.apply(alive({ ttlMs: 10_000 }), 0);
    const check = (state: "healthy" | "silent"): HealthReport => ({
      endpoint: "10.0.0.1:8000",
      health: { state, models: [], loaded: [], latencyMs: 1, checkedAt: "", reason: null },
      description: null,
      missingPath: null,
    });
    registry.assess("box", check("healthy"));
    registry.apply(lost, 0);
    registry.expire(20_000);
    expect(stale()).toEqual(["MEDIUM_UNREACHABLE"]);
    registry.assess("box", check("silent"));
    expect(inWords(registry.expire(40_000))).toEqual(["down box unreachable"]);
  });
});

describe("a source without a ttl", () => {
  beforeEach(() => {
    const { ttlMs: _, ...report } = alive();
    registry.apply(report, 0);
  });

  test("holds until it is gone", () => {
    expect(registry.nextDeadlineMs()).toBe(null);
    expect(registry.expire(1e12)).toEqual([]);
    expect(registry.get("box")?.sources[0]).toMatchObject({ expiresMs: null, expiresAt: null });
    expect(inWords(registry.apply(gone(), 0))).toEqual(["down box goodbye"]);
  });

  test("is kept for twice the query's once its transport is lost", () => {
    registry.apply(lost, 0);
    registry.expire(59_999);
    expect(registry.size).toBe(1);
    expect(inWords(registry.expire(60_000))).toEqual(["down box unreachable"]);
  });
});

describe("when the next session settles", () => {
  test("what it reported is fresh, and the rest is down", () => {
    registry.apply(alive(), 0);
    registry.apply(alive({ id: "other", key: "other", addresses: [] }), 0);
    registry.apply(lost, 0);
    registry.expire(2_000);
    registry.apply(recovered, 3_000);
    expect(inWords(registry.apply(alive(), 3_000))).toEqual(["updated box"]);
    expect(inWords(registry.apply(settled, 4_000))).toEqual(["down other unreachable"]);
    expect(stale()).toEqual([null]);
  });

  test("a node that another transport reports stays", () => {
    registry.apply(alive(), 0);
    registry.apply(alive({ via: "arp", key: "10.0.0.1" }), 0);
    registry.apply(lost, 0);
    expect(inWords(registry.apply(settled, 1_000))).toEqual(["updated box"]);
    expect(registry.get("box")?.sources.map(({ transport }) => transport)).toEqual(["arp"]);
  });

  test("without a loss before, nothing happens", () => {
    registry.apply(alive(), 0);
    expect(registry.apply(settled, 1)).toEqual([]);
  });
});
