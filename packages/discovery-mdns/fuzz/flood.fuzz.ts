import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import { flood, type Harm, manySources } from "../test/life/stranger.ts";
import { announceOn, hostOn, watchOn } from "../test/life/virtual-host.ts";
import { Segment } from "../test/segment.ts";

const packets = Number(process.env.FLOOD_PACKETS ?? 40_000);
const perStep = 100;
const stepMs = 20;
/** Growth allowed for 10,000 nodes of at most 8 kB each, with the slack of an unswept heap. */
const maxGrowthMb = 150;

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1_048_576;
}

const weighed: readonly (readonly [Harm, number])[] = [
  ["nodes", 1],
  ["nodes", manySources],
  ["fat nodes", manySources],
  ["pointers", manySources],
  ["garbage", manySources],
  ["half garbage", manySources],
  ["questions without an end", manySources],
];

test.each(weighed)(
  "%s from %i addresses weigh little, and no more when as many come again",
  async (harm, sources) => {
    const clock = new VirtualClock();
    const segment = new Segment(clock);
    const random = seededRandom(1);
    await announceOn(hostOn(segment, clock, "10.0.0.1"), "real", 1);
    const watcher = await watchOn(hostOn(segment, clock, "10.0.0.2"), { seed: 2 });
    await clock.advance(20_000);
    const count = harm === "fat nodes" ? packets / 20 : packets;
    const heapsMb = [heapMb()];
    let computedMs = 0;
    for (const _ of ["once", "again"]) {
      const before = process.cpuUsage();
      for (let left = count; left > 0; left -= perStep) {
        flood(segment, random, { harm, sources, count: perStep });
        await clock.advance(stepMs);
        segment.heard.length = 0;
        watcher.changes.length = 0;
      }
      const { user, system } = process.cpuUsage(before);
      computedMs += (user + system) / 1_000;
      heapsMb.push(heapMb());
    }
    const [empty = 0, once = 0, again = 0] = heapsMb;
    console.log(
      `${harm} from ${sources}: heap ${heapsMb.map((mb) => mb.toFixed(1)).join(", ")} MB; ${((1_000 * computedMs) / (2 * count)).toFixed(0)} µs a packet`,
    );
    expect(watcher.infos()).toContain("real");
    expect(once - empty).toBeLessThan(maxGrowthMb);
    expect(again - once).toBeLessThan(maxGrowthMb / 3);
  },
  1_800_000,
);
