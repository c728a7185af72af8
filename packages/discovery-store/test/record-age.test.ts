import type { Discovery, RegistryChange } from "@lmserv/discovery-core";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryStore } from "./memory-store.ts";
import { PlainHost } from "./plain-host.ts";
import { openSite } from "./site.ts";

// A signed value outlives its signer if another process keeps it in the store.

const hourMs = 3_600_000;
const node = { id: "box", port: 8_000, info: "gpu" };
let clock: VirtualClock;
let store: MemoryStore;
let discovery: Discovery;

beforeEach(async () => {
  clock = new VirtualClock();
  store = new MemoryStore();
  discovery = await openSite(store, clock);
});
afterEach(() => discovery[Symbol.asyncDispose]());

function signedAgo(agoMs: number) {
  const host = new PlainHost();
  const value = host.valueOf(node, "default", { ttlMs: 30_000, signedMs: clock.wall() - agoMs });
  return [host.keyOf(node), value] as const;
}

function listed(): string[] {
  return discovery.registry.listAlive().map(({ id }) => id);
}

test.each([
  ["a day and an hour", 25, []],
  ["some hours", 20, ["box"]],
  ["a moment, by a clock that is ahead", -3, ["box"]],
])("a value that was signed %s ago counts, or not", async (_, hours, expected) => {
  store.put(...signedAgo(hours * hourMs));
  await clock.advance(0);
  expect(listed()).toEqual(expected);
});

test("a value that nobody signs anew is dropped, and not believed again", async () => {
  const changes: RegistryChange[] = [];
  const watching = (async () => {
    for await (const change of discovery.watch()) changes.push(change);
  })();
  const old = signedAgo(0);
  store.put(...old);
  await clock.advance(23 * hourMs);
  expect(listed()).toEqual(["box"]);
  await clock.advance(2 * hourMs);
  store.put(...old);
  await clock.advance(0);
  expect(listed()).toEqual([]);
  expect(changes.at(-1)).toMatchObject({ kind: "down", reason: "unreachable" });
  await discovery[Symbol.asyncDispose]();
  await watching;
});

test("an announcer signs anew within the day, and when its clock is set", async () => {
  await discovery.announce(node);
  await clock.advance(0);
  const signed = () => store.puts.map((value) => Number(/"signedMs":(\d+)/.exec(value)?.[1]));
  const [firstMs = 0] = signed();
  expect(firstMs).toBe(clock.wall());
  await clock.advance(24 * hourMs);
  const gaps = signed()
    .slice(1)
    .map((ms, index) => ms - (signed()[index] ?? 0));
  expect(gaps).toHaveLength(4);
  expect(Math.max(...gaps)).toBeLessThan(7 * hourMs);
  const before = store.puts.length;
  clock.sleepHost(1_000 * hourMs);
  await clock.advance(60_000);
  expect(store.puts).toHaveLength(before + 1);
});
