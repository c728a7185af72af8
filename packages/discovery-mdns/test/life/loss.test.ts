import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { comingsAndGoings, hostOn, watchOn } from "./virtual-host.ts";

const hosts = 10;

const nameIn = (change = ""): string => change.split(" ")[1] ?? "";

describe("a LAN that loses a fifth of all packets, each copy for itself,", () => {
  test.each([1, 2])(
    "lets ten nodes find each other, loses at most two of a hundred for a moment in ten minutes, and tells of their end (seed %i)",
    async (seed) => {
      const clock = new VirtualClock();
      const segment = new Segment(clock);
      const random = seededRandom(seed);
      const watchers = await Promise.all(
        Array.from({ length: hosts }, (_, index) =>
          watchOn(
            hostOn(segment, clock, `10.0.0.${index + 1}`, () => random() >= 0.2),
            { seed: 100 * seed + index },
          ),
        ),
      );
      const all = watchers.map((_, index) => `node-${index}`);
      for (const [index, { discovery }] of watchers.entries()) {
        await discovery.announce({ port: 8000, info: `node-${index}` });
      }
      await clock.advance(20_000);
      expect(watchers.map(({ infos }) => infos())).toEqual(watchers.map(() => all));

      await clock.advance(600_000);
      for (const watcher of watchers) {
        const told = comingsAndGoings(watcher, hosts);
        expect(told).toEqual(told.length === 0 ? [] : [`down ${nameIn(told[0])}`, `up ${nameIn(told[0])}`]);
      }
      expect(watchers.flatMap((watcher) => comingsAndGoings(watcher, hosts)).length).toBeLessThanOrEqual(4);

      const [leaver, ...rest] = watchers;
      const leaving = leaver?.discovery[Symbol.asyncDispose]();
      await clock.advance(62_000);
      await leaving;
      expect(rest.map(({ infos }) => infos())).toEqual(rest.map(() => all.slice(1)));
    },
  );
});
