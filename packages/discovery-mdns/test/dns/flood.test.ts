import { describe, expect, test } from "vitest";
import { decode } from "../../src/dns/decode.ts";
import { packet } from "./bytes.ts";
import { floods, maxBytes } from "./floods.ts";

/** Question for an earlier name; a record takes more. */
const leastItemBytes = 5;

// `npm run fuzz` measures the time of each.
describe("a packet of 9,000 bytes is read, and no more is made of it than it holds, when it is full of", () => {
  test.each(Object.entries(floods))("%s", (_, bytes) => {
    expect(bytes.length).toBeLessThanOrEqual(maxBytes);
    const { message } = decode(bytes) ?? {};
    const items = [message?.questions, message?.answers, message?.authorities, message?.additionals].flat();
    expect(items.length).toBeLessThanOrEqual(maxBytes / leastItemBytes);
  });

  test("names, each read in full", () => {
    const { message, malformed } =
      decode(floods["records whose two names have 127 labels"] ?? packet({})) ?? {};
    expect(message?.answers.length).toBeGreaterThan(600);
    expect(new Set(message?.answers.map(({ name: owner }) => owner.length))).toEqual(new Set([253]));
    expect(malformed).toBe(0);
  });
});
