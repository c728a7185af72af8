import { describe, expect, it } from "vitest";
import { Reminder } from "../../src/authors.ts";

const minuteMs = 60_000;

/** Minutes of a week at which a fault is reported that is met every ten seconds. */
function minutesSaid(reminder: Reminder): readonly number[] {
  const said: number[] = [];
  for (let nowMs = 0; nowMs <= 7 * 24 * 60 * minuteMs; nowMs += 10_000) {
    if (reminder.isDue("deaf", nowMs)) said.push(nowMs / minuteMs);
  }
  return said;
}

describe("a fault that lasts", () => {
  it("is said at once, then after pauses that double, and once an hour in the end", () => {
    const said = minutesSaid(new Reminder());
    expect(said.slice(0, 9)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    expect(said.at(-1)).toBeGreaterThan(7 * 24 * 60 - 60);
  });

  it("is said once for each cause meanwhile", () => {
    const reminder = new Reminder();
    const said = ["deaf", "mute", "deaf", "mute"].map((cause) => reminder.isDue(cause, 0));
    expect(said).toEqual([true, true, false, false]);
  });

  it("is a new one after it was over", () => {
    const reminder = new Reminder();
    reminder.isDue("deaf", 0);
    reminder.clear();
    expect(reminder.isDue("deaf", 1)).toBe(true);
  });

  it("has a few causes that are remembered, and no more", () => {
    const reminder = new Reminder();
    for (let cause = 0; cause < 17; cause += 1) reminder.isDue(`${cause}`, 0);
    expect(reminder.isDue("16", 1)).toBe(false);
    expect(reminder.isDue("1", 1)).toBe(false);
    expect(reminder.isDue("0", 1)).toBe(true);
  });
});
