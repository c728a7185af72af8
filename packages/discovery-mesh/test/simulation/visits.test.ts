import { expect, test } from "vitest";
import { type Host, type Process, urlOf } from "./process.ts";
import { World } from "./world.ts";

// A newcomer that goes again before it has a link to everybody, where handshakes take up to five seconds: most
// members know of it by others only, and have nothing of their own that breaks.

const limitMs = { joined: 300, killed: 3_000, gone: 12_000, left: 200 };
const ends = ["killed", "gone", "left"] as const;
const visits = 6;
const seeds = Array.from({ length: 8 }, (_, index) => index + 1);

/** A mesh that is whole before handshakes become slow. */
function slowMesh(seed: number): { world: World; members: readonly Process[]; first: Host } {
  const world = new World(seed);
  const first = world.addHost(false, []);
  const count = 6 + Math.floor(world.random() * 9);
  for (let index = 1; index < count; index += 1) world.addHost(false, [urlOf(first)]);
  const members = world.hosts.map((host) => world.start(host));
  world.agenda.runUntil(20_000);
  for (const { listed } of members) expect(listed.size).toBe(count - 1);
  world.faults.slowness = 0.9;
  return { world, members, first };
}

/** How long it takes until `isTrue` for all, in ms; no more than a minute. */
function elapsedMs(world: World, members: readonly Process[], isTrue: (member: Process) => boolean): number {
  const startMs = world.agenda.nowMs;
  while (!members.every(isTrue) && world.agenda.nowMs < startMs + 60_000) {
    world.agenda.runUntil(world.agenda.nowMs + 10);
  }
  return world.agenda.nowMs - startMs;
}

test.each(seeds)("a short visit is noticed, and so is its end (seed %i)", (seed) => {
  const { world, members, first } = slowMesh(seed);
  for (let count = 0; count < visits; count += 1) {
    const host = world.addHost(false, [urlOf(first)]);
    const visitor = world.start(host);
    while (visitor.membership.links().length === 0) world.agenda.runUntil(world.agenda.nowMs + 10);
    expect(elapsedMs(world, members, ({ listed }) => listed.has(host.id))).toBeLessThan(limitMs.joined);
    world.agenda.runUntil(world.agenda.nowMs + world.between(0, 4_000));
    const how = world.pick(ends) ?? "left";
    if (how === "left") world.leave(visitor);
    else world.crash(visitor, how === "gone");
    expect(
      elapsedMs(world, members, ({ listed }) => !listed.has(host.id)),
      how,
    ).toBeLessThan(limitMs[how]);
    world.agenda.runUntil(world.agenda.nowMs + world.between(0, 5_000));
    for (const { listed } of members) expect(listed.size).toBe(members.length - 1);
  }
});
