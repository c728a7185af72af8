import { VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { announceOn, comingsAndGoings, hostOn, type Watcher, watchOn } from "./virtual-host.ts";

/** A watcher of a node on another host, whose sockets all die at 5 s. */
async function lose(): Promise<{ clock: VirtualClock; segment: Segment; watcher: Watcher }> {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const watcher = await watchOn(hostOn(segment, clock, "10.0.0.1"), { seed: 1 });
  await announceOn(hostOn(segment, clock, "10.0.0.2"), "gpu", 2);
  await clock.advance(5_000);
  segment.fail();
  return { clock, segment, watcher };
}

function staleOf({ discovery }: Watcher): unknown {
  return discovery.registry.listAlive().flatMap(({ sources }) => sources.map(({ stale }) => stale));
}

test("a node stays listed, with the reason, while no socket can be opened, and is fresh when one can", async () => {
  const { clock, segment, watcher } = await lose();
  await clock.advance(20_000);
  expect(staleOf(watcher)).toEqual(["ADDRESS_IN_USE"]);
  segment.held.clear();
  await clock.advance(30_000);
  expect(staleOf(watcher)).toEqual([null]);
  expect(comingsAndGoings(watcher)).toEqual(["up gpu"]);
});

test("sockets that can be opened at the next look are no event", async () => {
  const { clock, segment, watcher } = await lose();
  segment.held.clear();
  const before = watcher.changes.length;
  await clock.advance(60_000);
  expect(watcher.changes.slice(before)).toEqual([]);
  expect(watcher.infos()).toEqual(["gpu"]);
});
