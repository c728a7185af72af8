import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { type Alive, createDiscovery, Registry } from "../src/index.ts";
import { alive, at, gone } from "./observations.ts";
import { Puppet } from "./puppet.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

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

/** What 200 nodes may cost, and far less than 100,000 do. */
const fewNodesBytes = 4_000_000;

test("a flood of strangers leaves nothing behind", () => {
  const registry = new Registry({ capacity: 200 });
  const before = heapBytes();
  let nowMs = 0;
  for (const stranger of strangers(100_000)) {
    nowMs += 1;
    registry.apply(stranger, nowMs);
    if (nowMs % 3 === 0) registry.apply(gone({ key: stranger.key }), nowMs);
    if (nowMs % 100 === 0) registry.expire(nowMs);
  }
  expect(registry.refused).toBeGreaterThan(10_000);
  expect(registry.size).toBeLessThanOrEqual(200);
  expect(heapBytes() - before).toBeLessThan(fewNodesBytes);
  registry.expire(nowMs + 500);
  expect([registry.size, registry.nextDeadlineMs()]).toEqual([0, null]);
});

test("identities that chase each other at one endpoint leave nothing behind", () => {
  const registry = new Registry();
  const before = heapBytes();
  for (let n = 0; n < 100_000; n += 1) registry.apply(alive({ key: `key ${n}`, id: `id-${n}` }), n);
  expect(registry.size).toBe(1);
  expect(heapBytes() - before).toBeLessThan(fewNodesBytes);
});

test("a source whose deadline moves back and forth leaves nothing behind", () => {
  const registry = new Registry();
  const before = heapBytes();
  for (let n = 0; n < 100_000; n += 1)
    registry.apply(alive({ ttlMs: n % 2 === 0 ? 1_000_000 : 200_000 - n }), n);
  expect(heapBytes() - before).toBeLessThan(fewNodesBytes);
});

test("looks and watches that are over leave nothing behind", async () => {
  const clock = new VirtualClock();
  await using discovery = await createDiscovery({ transports: [new Puppet()], clock });
  const lookAndWatch = async (): Promise<void> => {
    const watch = discovery.watch();
    const step = watch.next();
    const aborting = new AbortController();
    const look = discovery.discover({ signal: aborting.signal }).catch(() => {});
    aborting.abort();
    await Promise.all([watch.return?.(), step, look]);
  };
  for (let n = 0; n < 500; n += 1) await lookAndWatch();
  const before = heapBytes();
  for (let n = 0; n < 5_000; n += 1) await lookAndWatch();
  expect(heapBytes() - before).toBeLessThan(1_000_000);
});
