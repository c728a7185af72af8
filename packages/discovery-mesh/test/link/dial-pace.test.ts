import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { type DialOutcome, DialPace, type DialTurn } from "../../src/link/dial-pace.ts";

/** Dials under way; everybody who wants one has asked already. */
function dials(count: number) {
  const clock = new VirtualClock();
  const pace = new DialPace(clock);
  const turns: DialTurn[] = [];
  for (let index = 0; index < count; index += 1) void pace.turn().then((turn) => turns.push(turn));
  /** All that are under way answer, and are over after `ms`; returns how many they were. */
  const round = async (ms: number, outcome: DialOutcome): Promise<number> => {
    await clock.advance(0);
    const now = turns.splice(0);
    for (const turn of now) turn.connected();
    await clock.advance(ms);
    for (const turn of now) turn.end(outcome);
    return now.length;
  };
  return { clock, turns, round };
}

describe("the pace of dials", () => {
  it("grows while handshakes are quick, up to a bound", async () => {
    const { round } = dials(1_000);
    const counts: number[] = [];
    for (let index = 0; index < 40; index += 1) counts.push(await round(20, "done"));
    expect(counts[0]).toBe(8);
    expect(counts[1]).toBeGreaterThan(8);
    expect(counts.at(-1)).toBeLessThanOrEqual(32);
    expect(Math.max(...counts)).toBe(32);
  });

  it.each([
    ["come too late", 5_000, "late"],
    ["take long", 1_500, "done"],
  ] as const)("halves when they %s, and never ends", async (_, ms, outcome) => {
    const { round } = dials(100);
    const counts: number[] = [];
    for (let index = 0; index < 6; index += 1) counts.push(await round(ms, outcome));
    expect(counts).toEqual([8, 4, 2, 1, 1, 1]);
  });

  it("does not wait for hosts that are gone", async () => {
    const { clock, turns } = dials(24);
    await clock.advance(0);
    expect(turns).toHaveLength(8);
    await clock.advance(1_100);
    expect(turns).toHaveLength(24);
    for (const turn of turns) turn.end("refused");
    expect(clock.pending).toBe(0);
  });
});
