import fc from "fast-check";
import { expect, test } from "vitest";
import { type Alive, type Observation, Registry } from "../../src/authors.ts";
import {
  DiscoveryError,
  type DiscoveryErrorCode,
  type DownReason,
  type RegistryChange,
} from "../../src/index.ts";
import { seenNode } from "../observations.ts";
import { NaiveRegistry, outlineOf, outlineOfLines } from "./naive-registry.ts";
import { facesOf, Replica } from "./replica.ts";

/** A small world, in which keys, identities and endpoints collide all the time. */
const slot = { via: fc.constantFrom("arp", "mdns", "mesh"), key: fc.constantFrom("k1", "k2", "k3") };
const address = fc.constantFrom("10.0.0.1", "10.0.0.2", "2001:db8::1");
const reach = fc.constantFrom("source", "source", "source", "on-link", "routed", "link-local", "loopback");
const addresses = fc.array(fc.record({ address, reach }), { minLength: 1, maxLength: 3, size: "-1" });
const port = fc.constantFrom(8000, 8000, 8000, 8000, 9000);
const info = fc.constantFrom("", "a", "b");
const named = fc.record({
  id: fc.constantFrom("x", "y", "z"),
  trust: fc.constantFrom("signed", "announced", "announced", "identified"),
});
const nameless = fc.record(
  {
    id: fc.constant(null),
    trust: fc.constantFrom("announced", "identified"),
    announcer: fc.constantFrom("one", "two"),
  },
  { requiredKeys: ["id", "trust"] },
);

const node = fc
  .tuple(fc.oneof(named, nameless), fc.record({ addresses, port, info }))
  .map(([identity, rest]) => seenNode({ ...identity, ...rest } as Partial<Alive["node"]>));

/** Report, with the time when the node was heard: now, earlier, or never. */
const alive = fc
  .record({
    ...slot,
    node,
    ttlMs: fc.oneof(
      { arbitrary: fc.integer({ min: 1, max: 60 }), weight: 9 },
      fc.constantFrom(1_500, undefined),
    ),
    ageMs: fc.constantFrom(0, 0, 0, 8, null),
  })
  .map(({ ageMs, ttlMs, ...report }) => (nowMs: number): Observation => {
    const heardMs = ageMs === null ? null : nowMs - ageMs;
    return { kind: "alive", origin: report.key, heardMs, ...report, ...(ttlMs && { ttlMs }) };
  });

const gone = fc
  .record({ ...slot, reason: fc.constantFrom<("goodbye" | "unreachable")[]>("goodbye", "unreachable") })
  .map((report) => (): Observation => ({ kind: "gone", ...report }));

const lost = fc
  .record({
    via: slot.via,
    code: fc.constantFrom<DiscoveryErrorCode[]>("TRANSPORT_FAILED", "MEDIUM_UNREACHABLE"),
  })
  .map(({ via, code }) => (): Observation => {
    return { kind: "lost", via, error: new DiscoveryError(code, "lost", { via }) };
  });

const recovered = slot.via.map((via) => (): Observation => ({ kind: "recovered", via }));

const settled = slot.via.map((via) => (): Observation => ({ kind: "settled", via }));

const step = fc.record({
  waitMs: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 12 }), weight: 9 }, fc.constantFrom(1_000, 2_000)),
  /** Null lets due sources expire. */
  observation: fc.oneof(
    { arbitrary: alive, weight: 12 },
    { arbitrary: gone, weight: 3 },
    { arbitrary: fc.constant(null), weight: 4 },
    { arbitrary: settled, weight: 1 },
    { arbitrary: lost, weight: 2 },
    { arbitrary: recovered, weight: 1 },
  ),
});

/** Other tests cover which one gives way for want of room. */
const history = fc.array(step, { maxLength: 60, size: "max" });

test("agrees with a naive registry on every history", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const registry = new Registry();
      const naive = new NaiveRegistry();
      const replica = new Replica();
      let nowMs = 0;
      for (const { waitMs, observation: observe } of steps) {
        nowMs += waitMs;
        const observation = observe?.(nowMs);
        const changes = observation ? registry.apply(observation, nowMs) : registry.expire(nowMs);
        const down = observation ? naive.apply(observation, nowMs) : naive.expire(nowMs);
        expect(changes.filter((change) => replica.knows(change))).toEqual([]);
        replica.follow(changes);
        expect(reasonsOf(changes)).toEqual(down);
        expect(registry.listAlive().map(outlineOf)).toEqual(naive.listAlive().map(outlineOfLines));
        expect(replica.faces()).toEqual(facesOf(registry.listAlive()));
        expect(registry.nextDeadlineMs()).toBe(naive.nextDeadlineMs());
        expect(registry.refused).toBe(0);
      }
    }),
    { numRuns: 3 * (fc.readConfigureGlobal().numRuns ?? 100) },
  );
});

function reasonsOf(changes: readonly RegistryChange[]): Map<string, DownReason> {
  return new Map(
    changes.flatMap((change) => (change.kind === "down" ? [[change.node.id, change.reason]] : [])),
  );
}
