import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { type Flood, flood, manySources } from "./stranger.ts";
import {
  announceOn,
  comingsAndGoings,
  hostOn,
  type VirtualHost,
  type Watcher,
  type WatcherOptions,
  watchOn,
} from "./virtual-host.ts";

const announcerAddress = "10.0.0.1";
const watcherAddress = "10.0.0.2";
/** Packets of one step: 1,000 a second. */
const perStep = 20;
const stepMs = 20;

let clock: VirtualClock;
let segment: Segment;
let random: () => number;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  random = seededRandom(1);
});

/** Count of packets that a host sent. */
const sentBy = (address: string): number =>
  segment.heard.filter(({ from }) => from.address === address).length;

/** Sends a flood at its pace. */
async function suffer({ count, ...order }: Flood): Promise<void> {
  for (let left = count; left > 0; left -= perStep) {
    flood(segment, random, { ...order, count: Math.min(left, perStep) });
    await clock.advance(stepMs);
  }
}

const host = (address: string): VirtualHost => hostOn(segment, clock, address);

const watch = (options: Partial<WatcherOptions> = {}): Promise<Watcher> =>
  watchOn(host(watcherAddress), { seed: 9, ...options });

const realOnes = ({ infos }: Watcher): readonly string[] => infos().filter((info) => info !== "flood");

describe("a flood of nodes", () => {
  test.each([
    {
      from: "one address",
      harm: "nodes" as const,
      sources: 1,
      count: 1_200,
      maxInstances: 10_000,
      kept: 1_000,
    },
    {
      from: "200 addresses",
      harm: "nodes" as const,
      sources: manySources,
      count: 900,
      maxInstances: 300,
      kept: 300,
    },
    {
      ...{ from: "200 addresses, on one host,", harm: "nodes of one host" as const },
      ...{ sources: manySources, count: 400, maxInstances: 10_000, kept: 256 },
    },
  ])("from $from hides no real node, is kept up to a bound, and leaves nothing", async (flooding) => {
    const { sources, count, maxInstances, kept, harm } = flooding;
    await announceOn(host(announcerAddress), "before", 1);
    const watcher = await watch({ maxInstances });
    await clock.advance(20_000);
    const [timers, sent] = [clock.pending, sentBy(watcherAddress)];

    await suffer({ harm, count: count / 2, sources });
    await announceOn(host("10.0.0.3"), "during", 3);
    await suffer({ harm, count: count / 2, sources });
    expect(realOnes(watcher)).toEqual(["before", "during"]);
    expect(watcher.infos().length).toBeLessThanOrEqual(kept + 2);
    await announceOn(host("10.0.0.4"), "after", 4);
    await clock.advance(20_000);
    expect(realOnes(watcher)).toEqual(["after", "before", "during"]);
    // Timers of the two hosts' own work.
    expect(clock.pending - timers).toBeLessThanOrEqual(10);

    await clock.advance(120_000);
    expect(watcher.infos()).toEqual(["after", "before", "during"]);
    // Each node is asked for at most eight times, many of them by one packet.
    expect(sentBy(watcherAddress) - sent).toBeLessThanOrEqual(kept);
    expect(comingsAndGoings(watcher).filter((line) => !line.endsWith("flood"))).toEqual([
      "up before",
      "up during",
      "up after",
    ]);
  });

  test("that say 8 kB each, or nothing but their names, is kept up to a bound as well", async () => {
    await announceOn(host(announcerAddress), "real", 1);
    const watcher = await watch();
    await clock.advance(20_000);
    const [timers, sent] = [clock.pending, sentBy(watcherAddress)];
    await suffer({ harm: "fat nodes", count: 60, sources: 20 });
    for (const { attributes } of watcher.discovery.registry.listAlive()) {
      expect(Object.keys(attributes).length).toBeLessThan(400);
    }
    await suffer({ harm: "pointers", count: 1_000, sources: 20 });
    expect(clock.pending).toBe(timers);
    await announceOn(host("10.0.0.3"), "later", 3);
    await clock.advance(180_000);
    expect(watcher.infos()).toEqual(["later", "real"]);
    expect(sentBy(watcherAddress) - sent).toBeLessThanOrEqual(1_060);
  });
});

describe("a flood of rubbish", () => {
  test.each(["garbage", "half garbage"] as const)(
    "(%s) changes nothing and is not answered",
    async (harm) => {
      await announceOn(host(announcerAddress), "real", 1);
      const watcher = await watch();
      await clock.advance(20_000);
      const before = [sentBy(announcerAddress), sentBy(watcherAddress), clock.pending];
      await suffer({ harm, count: 1_000, sources: 100 });
      expect([sentBy(announcerAddress), sentBy(watcherAddress), clock.pending]).toEqual(before);
      expect(watcher.infos()).toEqual(["real"]);
      await announceOn(host("10.0.0.3"), "later", 3);
      await clock.advance(10);
      expect(watcher.infos()).toEqual(["later", "real"]);
    },
  );
});

describe("a flood of questions", () => {
  test.each([
    { harm: "questions", fromPort: 5_353, most: 2 },
    { harm: "questions without an end", fromPort: 5_353, most: 2 },
    { harm: "questions for direct answers", fromPort: 5_353, most: 202 },
    { harm: "questions", fromPort: 40_000, most: 202 },
  ] as const)("($harm, from port $fromPort) is not answered by a storm", async ({ harm, fromPort, most }) => {
    await announceOn(host(announcerAddress), "real", 1);
    await clock.advance(20_000);
    const [sent, timers] = [sentBy(announcerAddress), clock.pending];
    const seconds = 1;
    await suffer({ harm, count: (seconds * 1_000 * perStep) / stepMs, sources: 64, fromPort });
    expect(clock.pending - timers).toBeLessThanOrEqual(64 + 2);
    await clock.advance(3_000);
    expect(sentBy(announcerAddress) - sent).toBeGreaterThan(0);
    expect(sentBy(announcerAddress) - sent).toBeLessThanOrEqual((seconds + 1) * most);
    expect(clock.pending).toBe(timers);
    const watcher = await watch();
    await clock.advance(500);
    expect(watcher.infos()).toEqual(["real"]);
  });
});
