import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { Heartbeat, PingSchedule } from "../../src/link/heartbeat.ts";
import { defaultLimits } from "../../src/link/limits.ts";

interface Side {
  readonly clock: VirtualClock;
  readonly pings: PingSchedule;
}

/** One side of a link, alone with a clock unless it has one already. */
function watched(leads: boolean, { clock, pings }: Side = side()) {
  const pingsMs: number[] = [];
  const silentMs: number[] = [];
  /** What happens with a ping; by default it leaves at once. */
  const wire = { onPing: (sent: () => void): void => sent() };
  const heartbeat = new Heartbeat({
    clock,
    limits: defaultLimits,
    pings,
    leads,
    ping(sent) {
      pingsMs.push(clock.now());
      wire.onPing(sent);
    },
    silent: () => silentMs.push(clock.now()),
  });
  return { clock, heartbeat, pingsMs, silentMs, wire };
}

function side(): Side {
  const clock = new VirtualClock();
  return { clock, pings: new PingSchedule(clock, defaultLimits.pingIntervalMs) };
}

describe("a heartbeat", () => {
  it.each([
    ["that leads", true, 5_000],
    ["that does not", false, 5_500],
  ])("gives a peer up after two pings without an answer, on the side %s", async (_, leads, firstMs) => {
    const { clock, pingsMs, silentMs } = watched(leads);
    await clock.advance(firstMs + 4_000);
    expect(pingsMs).toEqual([firstMs, firstMs + 2_000]);
    expect(silentMs).toEqual([firstMs + 4_000]);
  });

  it.each([true, false])("needs less than 10 s from the last sign of life (leads: %s)", async (leads) => {
    for (const heardMs of [1, 499, 2_600, 4_999, 5_000, 5_001]) {
      const { clock, heartbeat, silentMs } = watched(leads);
      await clock.advance(heardMs);
      heartbeat.heard();
      await clock.advance(60_000);
      expect(silentMs[0]).toBeLessThan(heardMs + 10_000);
    }
  });

  it("takes an answer to the second ping for an answer", async () => {
    const { clock, heartbeat, pingsMs, silentMs } = watched(true);
    await clock.advance(8_000);
    heartbeat.heard();
    await clock.advance(3_000);
    expect(pingsMs).toEqual([5_000, 7_000, 10_000]);
    heartbeat.heard();
    await clock.advance(3_000);
    expect(silentMs).toEqual([]);
  });

  it("has one side ask as long as the other is there to do so", async () => {
    const { clock, heartbeat, pingsMs } = watched(false);
    for (let times = 0; times < 10; times += 1) {
      await clock.advance(5_000);
      heartbeat.heard();
    }
    expect(pingsMs).toEqual([]);
  });

  it("asks on all links at once, whenever they began", async () => {
    const shared = side();
    const links = [];
    for (let count = 0; count < 4; count += 1) {
      links.push(watched(true, shared));
      await shared.clock.advance(700);
    }
    await shared.clock.advance(5_000 - 4 * 700);
    for (const { pingsMs } of links) expect(pingsMs).toEqual([5_000]);
  });

  it("does not count the time in which a ping waits on this side", async () => {
    const { clock, silentMs, wire } = watched(true);
    let leave: () => void = () => {};
    wire.onPing = (sent) => {
      leave = sent;
    };
    await clock.advance(30_000);
    leave();
    await clock.advance(1_999);
    expect(silentMs).toEqual([]);
  });

  it("does nothing more once it is stopped", async () => {
    const { clock, heartbeat, pingsMs } = watched(true);
    await clock.advance(5_500);
    heartbeat.stop();
    heartbeat.heard();
    await clock.advance(60_000);
    expect(pingsMs).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
