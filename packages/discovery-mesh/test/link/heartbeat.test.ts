import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { Heartbeat } from "../../src/link/heartbeat.ts";
import { defaultLimits } from "../../src/link/limits.ts";

function watched({ always = false, random = 0.5 } = {}) {
  const clock = new VirtualClock();
  const pingsMs: number[] = [];
  const silentMs: number[] = [];
  /** What happens with a ping; by default it leaves at once. */
  const wire = { onPing: (sent: () => void): void => sent() };
  const heartbeat = new Heartbeat({
    clock,
    random: () => random,
    limits: defaultLimits,
    always,
    ping(sent) {
      pingsMs.push(clock.now());
      wire.onPing(sent);
    },
    silent: () => silentMs.push(clock.now()),
  });
  return { clock, heartbeat, pingsMs, silentMs, wire };
}

describe("a heartbeat", () => {
  it("gives a peer up after two pings without an answer", async () => {
    const { clock, pingsMs, silentMs } = watched();
    await clock.advance(60_000);
    expect(pingsMs).toEqual([5_000, 7_000]);
    expect(silentMs).toEqual([9_000]);
  });

  it("needs less than 12 s from the last sign of life, however the dice fall", async () => {
    for (const random of [0, 0.999]) {
      for (const heardMs of [1, 3_000, 4_499, 5_499]) {
        const { clock, heartbeat, silentMs } = watched({ random });
        await clock.advance(heardMs);
        heartbeat.heard();
        await clock.advance(60_000);
        expect(silentMs[0]).toBeLessThan(heardMs + 12_000);
      }
    }
  });

  it("takes an answer to the second ping for an answer", async () => {
    const { clock, heartbeat, pingsMs, silentMs } = watched();
    await clock.advance(8_000);
    heartbeat.heard();
    await clock.advance(5_000);
    expect(pingsMs).toEqual([5_000, 7_000, 13_000]);
    await clock.advance(3_000);
    expect(silentMs).toEqual([]);
  });

  it("does not ping a peer that it hears, unless pings carry something", async () => {
    for (const always of [false, true]) {
      const { clock, heartbeat, pingsMs } = watched({ always });
      for (let second = 0; second < 20; second += 1) {
        await clock.advance(1_000);
        heartbeat.heard();
      }
      expect(pingsMs.length).toBe(always ? 4 : 0);
    }
  });

  it("does not count the time in which a ping waits on this side", async () => {
    const { clock, silentMs, wire } = watched();
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
    const { clock, heartbeat, pingsMs } = watched();
    await clock.advance(5_500);
    heartbeat.stop();
    heartbeat.heard();
    await clock.advance(60_000);
    expect(pingsMs).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
