import { VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { joined, Segment } from "../segment.ts";
import { announceOn, comingsAndGoings, hostOn, VirtualHost, type Watcher, watchOn } from "./virtual-host.ts";

/** Watches a node of another host, and kills all sockets of the watcher at 5 s. */
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

test("loopback that stands in for a network takes none of its nodes away, and those that died go when it is back", async () => {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const card = segment.machine("10.0.0.1");
  const { interfaces } = card;
  const loopback = new Segment(clock).machine("127.0.0.1", { prefix: 8, name: "lo" });
  const host = new VirtualHost(clock, joined(card, loopback));
  const watcher = await watchOn(host, { seed: 1, ttlMs: 600_000 });
  await announceOn(hostOn(segment, clock, "10.0.0.2"), "gpu", 2);
  const dying = hostOn(segment, clock, "10.0.0.3");
  await announceOn(dying, "dying", 3);
  await clock.advance(5_000);
  card.interfaces = () => ({});
  dying.stop();
  await clock.advance(180_000);
  expect(watcher.discovery.transports).toMatchObject([{ lost: null }]);
  expect(staleOf(watcher)).toEqual(["NO_INTERFACE", "NO_INTERFACE"]);
  await announceOn(new VirtualHost(clock, loopback), "local", 4);
  await clock.advance(5_000);
  expect(watcher.infos()).toEqual(["dying", "gpu", "local"]);

  card.interfaces = interfaces;
  await clock.advance(10_000);
  expect(staleOf(watcher)).toEqual([null]);
  expect(comingsAndGoings(watcher, 2).at(-1)).toBe("down dying");
});
