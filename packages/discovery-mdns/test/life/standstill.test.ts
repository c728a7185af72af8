import { VirtualClock } from "@lmserv/discovery-testkit";
import { fakeService, response } from "@lmserv/test-netlab/raw-peer";
import { beforeEach, describe, expect, test } from "vitest";
import { Segment } from "../segment.ts";
import { announceOn, comingsAndGoings, hostOn, type VirtualHost, watchOn } from "./virtual-host.ts";

/** Time in which a list must be right after a standstill, in ms. */
const soonMs = 5_000;
const original = fakeService("_lmserv._tcp.local", { label: "original", address: "10.0.0.9" });

let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

/** A host without our code answers every question. */
function runOriginal(): void {
  const { ptr, srv, txt, a } = original;
  const answer = response({ answers: [ptr], additionals: [srv, txt, a] });
  segment.listen((packet) => {
    if (packet.type === "query") clock.schedule(30, () => segment.inject(answer, "10.0.0.9"));
  });
}

describe("a process that stands still", () => {
  test.each([
    { forMs: 15_000, ttlMs: 10_000 },
    { forMs: 90_000, ttlMs: 60_000 },
    { forMs: 600_000, ttlMs: 60_000 },
  ])("for $forMs ms lists the living, the dead and the new as they are, soon", async ({ forMs, ttlMs }) => {
    const [stopped, living, dying, fresh, awake] = [1, 2, 3, 4, 5].map((last) =>
      hostOn(segment, clock, `10.0.0.${last}`),
    ) as [VirtualHost, VirtualHost, VirtualHost, VirtualHost, VirtualHost];
    runOriginal();
    await announceOn(living, "living", 2);
    await announceOn(dying, "dying", 3);
    const watcher = await watchOn(stopped, { seed: 1, ttlMs });
    // Makes all hosts give signs of life, which the system queues for the stopped process.
    await watchOn(awake, { seed: 5, ttlMs: 8_000 });
    await clock.advance(5_000);
    expect(watcher.infos()).toEqual(["dying", "living", "original"]);

    stopped.stop();
    await clock.advance(forMs / 2);
    dying.stop();
    await announceOn(fresh, "new", 4);
    await clock.advance(forMs / 2);
    stopped.continue();
    await clock.advance(soonMs);
    expect(watcher.infos()).toEqual(["living", "new", "original"]);
    expect(comingsAndGoings(watcher).toSorted()).toEqual([
      "down dying",
      "up dying",
      "up living",
      "up new",
      "up original",
    ]);
    expect(watcher.warnings).toEqual([]);
  });

  test("and announces is listed again, soon, by those who missed it", async () => {
    const [here, there] = [hostOn(segment, clock, "10.0.0.1"), hostOn(segment, clock, "10.0.0.2")];
    await announceOn(there, "asleep", 2);
    const watcher = await watchOn(here, { seed: 1, ttlMs: 10_000 });
    await clock.advance(9_000);
    there.stop();
    await clock.advance(10_100);
    expect(watcher.infos()).toEqual([]);
    expect(watcher.changes.at(-1)).toMatchObject({ kind: "down", reason: "expired" });
    there.continue();
    await clock.advance(soonMs);
    expect(watcher.infos()).toEqual(["asleep"]);
  });
});

describe("a node that dies without a word", () => {
  test.each([0, 500, 30_000, 45_100, 3_600_000])(
    "%i ms after its announcement is down, as expired, within its time",
    async (ageMs) => {
      const [here, there] = [hostOn(segment, clock, "10.0.0.1"), hostOn(segment, clock, "10.0.0.2")];
      const watcher = await watchOn(here, { seed: 1 });
      await announceOn(there, "killed", 2);
      await clock.advance(Math.max(ageMs, 1));
      expect(watcher.infos()).toEqual(["killed"]);
      there.stop();
      await clock.advance(60_000);
      expect(comingsAndGoings(watcher)).toEqual(["up killed", "down killed"]);
      expect(watcher.changes.at(-1)).toMatchObject({ reason: "expired" });
    },
  );
});
