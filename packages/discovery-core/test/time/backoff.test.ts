import { expect, test } from "vitest";
import { backoffMs } from "../../src/authors.ts";

const bounds = { firstMs: 100, maxMs: 5_000 };

test("attempts are spread over a time that doubles up to a bound", () => {
  const longest = Array.from({ length: 12 }, (_, index) => backoffMs(index + 1, bounds, () => 1));
  expect(longest.slice(0, 4)).toEqual([100, 200, 400, 800]);
  expect(longest.at(-1)).toBe(5_000);
  expect(backoffMs(5_000, bounds, () => 0.5)).toBe(2_500);
});
