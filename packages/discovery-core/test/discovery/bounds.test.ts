import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeAll, expect, test } from "vitest";
import { type Alive, Registry } from "../../src/authors.ts";
import { createDiscovery } from "../../src/index.ts";
import { FakeTransport } from "../fake-transport.ts";
import { alive, at, gone } from "../observations.ts";
import { keptObjects } from "./kept-objects.ts";

function* strangers(count: number): Generator<Alive> {
  for (let n = 0; n < count; n += 1) {
    const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    yield alive({
      key: `key ${n}`,
      id: n % 4 === 0 ? null : `id-${n}`,
      addresses: [at(address)],
      ttlMs: 500,
    });
  }
}

/** Count of each; a kept observation is several objects. */
const floodCount = 20_000;
/** Bound for 200 nodes, far below a flood. */
const fewNodesObjects = 6_000;
let before: number;

beforeAll(() => {
  before = keptObjects();
});

test("a flood of strangers leaves nothing behind", () => {
  const registry = new Registry({ capacity: 200 });
  let nowMs = 0;
  for (const stranger of strangers(floodCount)) {
    nowMs += 1;
    registry.apply(stranger, nowMs);
    if (nowMs % 3 === 0) registry.apply(gone({ key: stranger.key }), nowMs);
    if (nowMs % 100 === 0) registry.expire(nowMs);
  }
  expect(registry.refused).toBeGreaterThan(floodCount / 10);
  expect(registry.size).toBeLessThanOrEqual(200);
  expect(keptObjects() - before).toBeLessThan(fewNodesObjects);
  registry.expire(nowMs + 500);
  expect([registry.size, registry.nextDeadlineMs()]).toEqual([0, null]);
});

test("identities that chase each other at one endpoint leave nothing behind", () => {
  const registry = new Registry();
  for (let n = 0; n < floodCount; n += 1) registry.apply(alive({ key: `key ${n}`, id: `id-${n}` }), n);
  expect(keptObjects() - before).toBeLessThan(fewNodesObjects);
  expect(registry.size).toBe(1);
});

test("a source whose deadline moves back and forth leaves nothing behind", () => {
  const registry = new Registry();
  for (let n = 0; n < floodCount; n += 1)
    registry.apply(alive({ ttlMs: n % 2 === 0 ? 1_000_000 : 200_000 - n }), n);
  expect(keptObjects() - before).toBeLessThan(fewNodesObjects);
  // Used after the count, so that it is alive while objects are counted.
  expect(registry.size).toBe(1);
});

test("looks and watches that are over leave nothing behind", async () => {
  const clock = new VirtualClock();
  await using discovery = await createDiscovery({ transports: [new FakeTransport()], clock });
  const lookAndWatch = async (): Promise<void> => {
    const watch = discovery.watch();
    const step = watch.next();
    const aborting = new AbortController();
    const look = discovery.discover({ signal: aborting.signal }).catch(() => {});
    aborting.abort();
    await Promise.all([watch.return?.(), step, look]);
  };
  for (let n = 0; n < 2_000; n += 1) await lookAndWatch();
  expect(keptObjects() - before).toBeLessThan(2_000);
});
