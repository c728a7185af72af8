import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { comingsAndGoings, hostOn, watchOn } from "./virtual-host.ts";

const hosts = 10;

describe("a LAN that loses a fifth of all packets, each copy for itself,", () => {
  test.each([1, 2])(
    "lets ten nodes find each other, keeps them listed for ten minutes, and tells of their end (seed %i)",
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
      expect(watchers.map((watcher) => comingsAndGoings(watcher, hosts))).toEqual(watchers.map(() => []));

      const [leaver, ...rest] = watchers;
      const leaving = leaver?.discovery[Symbol.asyncDispose]();
      await clock.advance(62_000);
      await leaving;
      expect(rest.map(({ infos }) => infos())).toEqual(rest.map(() => all.slice(1)));
    },
  );
});
