import { expect, test } from "vitest";
import { decode } from "../src/dns/decode.ts";
import { floods } from "../test/dns/floods.ts";

/** Typical runs take a tenth of this; the rest is for slow machines. */
const boundMs = 50;

/** Least processor time of 21 runs, in ms; other programs hardly lengthen it. */
function leastMs(run: () => void): number {
  const durations = Array.from({ length: 21 }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...durations);
}

test.each(Object.entries(floods))(
  "a packet of 9,000 bytes is read in little time when it is full of %s",
  (_, bytes) => {
    expect(leastMs(() => decode(bytes))).toBeLessThan(boundMs);
  },
);
