import { describe, expect, test } from "vitest";
import type { Host, Process } from "./process.ts";
import { urlOf } from "./process.ts";
import { World } from "./world.ts";

/** A mesh of which the first is everybody's seed, whole and at rest. */
function meshOf(count: number, hidden: readonly number[] = []): { world: World; processes: Process[] } {
  const world = new World(count);
  const first = world.addHost(false, []);
  for (let index = 1; index < count; index += 1) world.addHost(hidden.includes(index), [urlOf(first)]);
  const processes = world.hosts.map((host) => world.start(host));
  world.agenda.runUntil(10_000);
  for (const process of processes) expect(process.listed.size).toBe(count - 1);
  return { world, processes };
}

/** How long it takes until `isTrue`, in ms. */
function elapsed(world: World, limitMs: number, isTrue: () => boolean): number {
  const startMs = world.agenda.nowMs;
  while (!isTrue()) {
    expect(world.agenda.nowMs - startMs).toBeLessThanOrEqual(limitMs);
    world.agenda.runUntil(world.agenda.nowMs + 10);
  }
  return world.agenda.nowMs - startMs;
}

const nobodyLists =
  (witnesses: readonly Process[], { id }: Host) =>
  (): boolean =>
    witnesses.every(({ listed }) => !listed.has(id));

/** Whether each of them lists all others of them. */
const isWhole = (members: readonly Process[]): boolean =>
  members.every((one) => members.every((other) => other === one || one.listed.has(other.host.id)));

describe("a mesh of eight", () => {
  test("knows a newcomer at once", () => {
    const { world, processes } = meshOf(8);
    const [seed] = world.hosts;
    if (!seed) throw new TypeError("there are eight");
    const host = world.addHost(false, [urlOf(seed)]);
    world.start(host);
    expect(elapsed(world, 300, () => processes.every(({ listed }) => listed.has(host.id)))).toBeGreaterThan(
      0,
    );
  });

  test("drops a member whose process was killed within 3 s", () => {
    const { world, processes } = meshOf(8);
    const [dead, ...others] = processes;
    if (!dead) throw new TypeError("there are eight");
    world.crash(dead);
    elapsed(world, 3_000, nobodyLists(others, dead.host));
  });

  test("drops a member whose host is gone within 12 s", () => {
    const { world, processes } = meshOf(8);
    const [dead, ...others] = processes;
    if (!dead) throw new TypeError("there are eight");
    world.crash(dead, true);
    elapsed(world, 12_000, nobodyLists(others, dead.host));
  });

  test("hears a goodbye within 200 ms", () => {
    const { world, processes } = meshOf(8);
    const [leaver, ...others] = processes;
    if (!leaver) throw new TypeError("there are eight");
    world.leave(leaver);
    elapsed(world, 200, nobodyLists(others, leaver.host));
  });

  test("keeps a member of which one link broke, whatever the reason", () => {
    const { world, processes } = meshOf(8);
    const [a, b] = world.hosts;
    if (!a || !b) throw new TypeError("there are eight");
    world.cut(a, b);
    for (let second = 0; second < 60; second += 1) {
      world.agenda.runUntil(world.agenda.nowMs + 1_000);
      for (const { listed } of processes) expect(listed.size).toBe(7);
    }
  });

  test("lets links say that members live, but for once a minute", () => {
    const { world, processes } = meshOf(8);
    world.agenda.runUntil(60_000);
    const { messages } = world;
    world.agenda.runUntil(180_000);
    const signed = 2 * 8 * 7;
    // Each compares what it knows with somebody once a minute: both say it.
    const compared = 2 * 8 * 2;
    expect(world.messages - messages).toBeLessThanOrEqual(1.5 * (signed + compared));
    for (const { listed } of processes) expect(listed.size).toBe(7);
  });

  test("has one link for each pair, however they were dialled", () => {
    const { world, processes } = meshOf(8);
    world.agenda.runUntil(30_000);
    for (const { membership } of processes) expect(membership.links()).toHaveLength(7);
  });
});

describe("members that nobody can dial", () => {
  test("know each other by those who can be dialled, and for as long as they live", () => {
    const { world, processes } = meshOf(4, [2, 3]);
    const [, , c, d] = processes;
    if (!c || !d) throw new TypeError("there are four");
    world.agenda.runUntil(120_000);
    expect(c.membership.linksTo(d.host.id)).toEqual([]);
    expect(c.listed.get(d.host.id)).toBe(d.info);
    d.say();
    elapsed(world, 500, () => c.listed.get(d.host.id) === d.info);
    world.crash(d);
    elapsed(world, 4_500, () => !c.listed.has(d.host.id));
  });
});

describe("a mesh of eight, cut in two halves for a minute,", () => {
  test("loses nobody of its own half, and is whole again within 15 s", () => {
    const { world, processes } = meshOf(8);
    const [left, right] = [processes.slice(0, 4), processes.slice(4)];
    for (const { host } of left) for (const other of right) world.cut(host, other.host);
    for (let step = 0; step < 600; step += 1) {
      world.agenda.runUntil(world.agenda.nowMs + 100);
      expect([left, right].map(isWhole)).toEqual([true, true]);
    }
    for (const { listed } of processes) expect(listed.size).toBe(3);
    world.heal();
    elapsed(world, 15_000, () => processes.every(({ listed }) => listed.size === 7));
  });
});

test("a mesh whose only seed is gone loses nobody with it", () => {
  const { world, processes } = meshOf(10);
  const [seed, ...others] = processes;
  if (!seed) throw new TypeError("there are ten");
  world.crash(seed);
  elapsed(world, 3_000, nobodyLists(others, seed.host));
  for (let step = 0; step < 1_200; step += 1) {
    world.agenda.runUntil(world.agenda.nowMs + 100);
    for (const { listed } of others) expect(listed.size).toBe(8);
  }
});

test("a member that stands still for a moment is missed by nobody", () => {
  const { world, processes } = meshOf(5);
  const [stalled, ...others] = processes;
  if (!stalled) throw new TypeError("there are five");
  world.stall(stalled, 3_000);
  for (let step = 0; step < 300; step += 1) {
    world.agenda.runUntil(world.agenda.nowMs + 100);
    for (const { listed } of others) expect(listed.size).toBe(4);
  }
});

test("a member that stands still is dropped by all within 12 s, and listed again when it goes on", () => {
  const { world, processes } = meshOf(5);
  const [stalled, ...others] = processes;
  if (!stalled) throw new TypeError("there are five");
  world.stall(stalled, 30_000);
  elapsed(world, 12_000, nobodyLists(others, stalled.host));
  world.agenda.runUntil(world.agenda.nowMs + 20_000);
  elapsed(world, 15_000, () => others.every(({ listed }) => listed.has(stalled.host.id)));
});

test("a member that stood still drops nobody who was there meanwhile", () => {
  const { world, processes } = meshOf(4);
  const [stalled] = processes;
  if (!stalled) throw new TypeError("there are four");
  world.stall(stalled, 30_000);
  world.agenda.runUntil(world.agenda.nowMs + 30_000);
  for (let step = 0; step < 200; step += 1) {
    world.agenda.runUntil(world.agenda.nowMs + 100);
    expect(stalled.listed.size).toBe(3);
  }
});

describe("a member that starts again with its identity", () => {
  test.each([
    ["after a crash", 0, 1_000],
    ["after its clock went back by two hours and its file was lost", -7_200_000, 10_000],
  ])("is listed as what it is now, %s", (_, jumpMs, limitMs) => {
    const { world, processes } = meshOf(6);
    const [, old, ...others] = processes;
    if (!old) throw new TypeError("there are six");
    const { host } = old;
    world.crash(old);
    host.wallOffsetMs += jumpMs;
    if (jumpMs < 0) host.savedEpoch = 0;
    const restarted = world.start(host);
    const isListed = (): boolean => others.every(({ listed }) => listed.get(host.id) === restarted.info);
    elapsed(world, limitMs, isListed);
    for (let step = 0; step < 300; step += 1) {
      world.agenda.runUntil(world.agenda.nowMs + 100);
      expect(isListed()).toBe(true);
    }
  });
});

test("a member that moved is dialled where it is now", () => {
  const { world, processes } = meshOf(6);
  const [seed, moved, ...others] = processes;
  if (!seed || !moved) throw new TypeError("there are six");
  world.move(moved);
  elapsed(world, 10_000, () =>
    [seed, ...others].every(
      ({ membership, listed }) =>
        listed.get(moved.host.id) === moved.info && membership.linksTo(moved.host.id).length === 1,
    ),
  );
  for (const { membership } of others) {
    for (const { url } of membership.linksTo(moved.host.id)) {
      expect([null, urlOf(moved.host)]).toContain(url);
    }
  }
});

test("who took the place of another one is not dialled for it again and again", () => {
  const { world, processes } = meshOf(6);
  const [seed, dead, ...others] = processes;
  if (!seed || !dead) throw new TypeError("there are six");
  world.crash(dead);
  const heir = world.addHost(false, [urlOf(seed.host)]);
  [heir.address, dead.host.address] = [dead.host.address, heir.address];
  world.start(heir);
  const isListed = (): boolean => others.every(({ listed }) => listed.has(heir.id));
  elapsed(world, 10_000, isListed);
  const { dials } = world;
  world.agenda.runUntil(world.agenda.nowMs + 60_000);
  expect(world.dials - dials).toBeLessThan(10 * processes.length);
  expect(isListed()).toBe(true);
});

test.each([3_600_000, -3_600_000])("a clock that jumps by %i ms loses nobody", (jumpMs) => {
  const { world, processes } = meshOf(6);
  const [jumper] = processes;
  if (!jumper) throw new TypeError("there are six");
  jumper.host.wallOffsetMs += jumpMs;
  for (let step = 0; step < 300; step += 1) {
    world.agenda.runUntil(world.agenda.nowMs + 100);
    for (const { listed } of processes) expect(listed.size).toBe(5);
  }
});

test("of two processes with one identity one gives way, and takes over when the other ends", () => {
  const { world, processes } = meshOf(4);
  const [, original, ...others] = processes;
  if (!original) throw new TypeError("there are four");
  const { host } = original;
  const clone = world.addHost(false, host.seeds);
  Object.assign(clone, { id: host.id, savedEpoch: host.savedEpoch });
  const copy = world.start(clone);
  world.agenda.runUntil(world.agenda.nowMs + 60_000);
  const heard = new Set<string | undefined>();
  for (let second = 0; second < 60; second += 1) {
    world.agenda.runUntil(world.agenda.nowMs + 1_000);
    for (const { listed } of others) heard.add(listed.get(host.id));
  }
  expect([...heard]).toEqual([copy.info]);
  expect(original.problems).toEqual(["conflict"]);
  world.crash(copy);
  elapsed(world, 90_000, () => others.every(({ listed }) => listed.get(host.id) === original.info));
});
