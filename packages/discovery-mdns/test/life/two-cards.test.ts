import { VirtualClock } from "@lmserv/discovery-testkit";
import { fakeService, response } from "@lmserv/test-netlab/raw-peer";
import { expect, test } from "vitest";
import { joined, Segment } from "../segment.ts";
import { comingsAndGoings, hostOn, VirtualHost, watchOn } from "./virtual-host.ts";

const original = fakeService("_lmserv._tcp.local", { label: "original", address: "10.0.0.9" });

test("hosts with two interfaces on one LAN are one node each, without a conflict, and without news for ten minutes", async () => {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const twoCards = (last: number): VirtualHost =>
    new VirtualHost(
      clock,
      joined(segment.machine(`10.0.0.${last}`), segment.machine(`10.0.0.${100 + last}`, { name: "wlan0" })),
    );
  const { ptr, srv, txt, a } = original;
  segment.listen((packet) => {
    const answer = response({ answers: [ptr], additionals: [srv, txt, a] });
    if (packet.type === "query") clock.schedule(30, () => segment.inject(answer, "10.0.0.9"));
  });
  const [announcer, other] = [
    await watchOn(twoCards(1), { seed: 1 }),
    await watchOn(hostOn(segment, clock, "10.0.0.3"), { seed: 3 }),
  ];
  const announcing = announcer.discovery.announce({ port: 8000, info: "two", name: "chosen" });
  await other.discovery.announce({ port: 8000, info: "one" });
  const watcher = await watchOn(twoCards(2), { seed: 2, ttlMs: 10_000 });
  await clock.advance(30_000);
  await announcing;
  expect(watcher.infos()).toEqual(["one", "original", "two"]);
  const two = watcher.discovery.registry.listAlive().find(({ info }) => info === "two");
  expect([...(two?.addresses ?? [])].sort()).toEqual(["10.0.0.1", "10.0.0.101"]);
  expect(new Set(two?.sources.map(({ key }) => key.split("@").at(-1)))).toEqual(new Set(["eth0", "wlan0"]));

  const settled = watcher.changes.length;
  await clock.advance(600_000);
  expect(watcher.changes.slice(settled)).toEqual([]);
  expect(comingsAndGoings(watcher)).toHaveLength(3);
  expect([...watcher.warnings, ...announcer.warnings]).toEqual([]);
});
