import { expect, test } from "vitest";
import { within } from "../src/deadline.ts";

const never = (): Promise<never> => new Promise(() => {});

test("a deadline passes over the time in which others had the processor", async () => {
  const readings = [0, 40, 80, 80];
  const late = within(
    40,
    () => "It did not end",
    never,
    () => readings.shift() ?? 80,
  );
  await expect(late).rejects.toThrow("It did not end within 40 ms");
  expect(readings).toEqual([]);
});

test("what was queued before it began does not move a deadline", async () => {
  let looks = 0;
  const queuedMs = (): number => {
    looks += 1;
    return 1_000;
  };
  await expect(within(40, () => "It did not end", never, queuedMs)).rejects.toThrow("within 40 ms");
  expect(looks).toBe(2);
});
