import { describe, expect, it } from "vitest";
import { Pacer, sweepMs } from "../src/sweep/pace.ts";

const empty = { entries: 0, softLimit: 512, hardLimit: 1_024, clearings: 0, refusals: 0 };

describe("the pace", () => {
  it("prompt, is all at once as far as there is room, and 256 unresolved at most", () => {
    expect(new Pacer("prompt", 0).quota(0, 0, empty)).toBe(256);
    expect(new Pacer("prompt", 0).quota(0, 200, empty)).toBe(56);
    expect(new Pacer("prompt", 0).quota(0, 256, empty)).toBe(0);
    expect(new Pacer("prompt", 0).quota(0, 0, { ...empty, entries: 400 })).toBe(80);
  });

  it.each([
    ["gentle", empty],
    ["prompt where the system tells nothing of its table", null],
  ] as const)("%s, is 80 a second", (name, load) => {
    const pacer = new Pacer(name === "gentle" ? "gentle" : "prompt", 0);
    let asked = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 50) {
      const quota = pacer.quota(nowMs, 0, load);
      pacer.spend(quota);
      asked += quota;
      expect(quota).toBeLessThanOrEqual(40);
    }
    expect(asked).toBeGreaterThan(780);
    expect(asked).toBeLessThanOrEqual(840);
  });

  it("saves up no burst in a pause", () => {
    const pacer = new Pacer("gentle", 0);
    pacer.spend(40);
    expect(pacer.quota(60_000, 0, empty)).toBe(40);
  });

  it("makes an estimate: a resolution for what fits at once, the kernel's clearings beyond", () => {
    expect(sweepMs(0, "prompt")).toBe(0);
    expect(sweepMs(253, "prompt")).toBe(3_100);
    expect(sweepMs(1_022, "prompt")).toBeGreaterThan(4 * 3_100);
    expect(sweepMs(1_022, "prompt")).toBeLessThan(60_000);
    expect(sweepMs(800, "gentle")).toBe(13_100);
  });
});
