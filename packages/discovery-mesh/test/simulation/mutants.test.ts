import { expect, test } from "vitest";
import { runHistory } from "./history.ts";
import { mutants } from "./mutants.ts";

/** Each of them was caught within a tenth of this, beginning at 1. */
const maxHistories = 2_000;

test.each(mutants)("a membership that $name is caught", ({ seed, apply }) => {
  const fix = apply();
  try {
    expect(firstWrong(seed)).not.toBeNull();
  } finally {
    fix();
  }
});

function firstWrong(first: number): string | null {
  for (let seed = first; seed < first + maxHistories; seed += 1) {
    const { wrong } = runHistory(seed);
    if (wrong !== null) return `${seed}: ${wrong}`;
  }
  return null;
}
