import { describe, expect, it } from "vitest";
import { formatDuration, parseDurationIn } from "../../src/options/duration.ts";

const range = { leastMs: 1, mostMs: 86_400_000 };

describe("parseDurationIn", () => {
  it.each([
    ["1ms", 1],
    ["500ms", 500],
    ["3s", 3_000],
    ["3", 3_000],
    ["1h", 3_600_000],
    ["2m", 120_000],
    ["24h", 86_400_000],
  ])("reads %s", (text, ms) => {
    expect(parseDurationIn(text, range)).toBe(ms);
  });

  it.each(["", "s", "3 s", " 3s", "3s ", "-3s", "+3s", "3S", "1.5s", "3sec", "1d", "0x3s", "1e3ms", "٣s"])(
    "refuses %j",
    (text) => {
      expect(() => parseDurationIn(text, range)).toThrow(RangeError);
    },
  );

  it.each(["0s", "86401s", "999999999m", "9999999999ms"])("refuses %s, which is out of range", (text) => {
    expect(() => parseDurationIn(text, range)).toThrow("from 1ms to 24h");
  });
});

describe("formatDuration", () => {
  it.each([1, 500, 1_500, 3_000, 90_000, 120_000])("writes %d ms as it is read", (ms) => {
    expect(parseDurationIn(formatDuration(ms), range)).toBe(ms);
  });
});
