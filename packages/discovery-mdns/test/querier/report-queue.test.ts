import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { Instance } from "../../src/querier/instance.ts";
import { ReportQueue } from "../../src/querier/report-queue.ts";

const instances = Array.from(
  { length: 300 },
  (_, index) => new Instance(`node-${index}._lmserv._tcp.local.`, "10.0.0.9", 0, 0, 0),
);

let clock: VirtualClock;
let reported: Instance[];
let turns: number[];
let queue: ReportQueue;

beforeEach(() => {
  clock = new VirtualClock();
  reported = [];
  turns = [];
  queue = new ReportQueue(clock, (turn) => {
    turns.push(turn.length);
    reported.push(...turn);
  });
});

describe("a queue of reports", () => {
  test("reports at once what fits a turn", () => {
    queue.add(instances.slice(0, 3));
    queue.add(instances.slice(3, 5));
    expect(turns).toEqual([3, 2]);
    expect(clock.pending).toBe(0);
  });

  test("spreads what one packet touches over turns, each instance once, in order", async () => {
    queue.add(instances);
    queue.add(instances);
    expect(turns).toEqual([128]);
    await clock.advance(1_000);
    expect(turns).toEqual([128, 128, 128, 44]);
    expect(reported.slice(0, 300)).toEqual([...instances.slice(0, 300)]);
    expect(reported.slice(300)).toEqual(instances.slice(0, 128));
    expect(clock.pending).toBe(0);
  });

  test("leaves out what was deleted, and all that waits after clear", async () => {
    queue.add(instances);
    for (const instance of instances.slice(128, 298)) queue.delete(instance);
    await clock.advance(25);
    expect(turns).toEqual([128, 2]);
    queue.add(instances);
    queue.clear();
    await clock.advance(1_000);
    expect(turns).toEqual([128, 2, 128]);
    expect(clock.pending).toBe(0);
  });
});
