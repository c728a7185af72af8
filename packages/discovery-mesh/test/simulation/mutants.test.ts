import { expect, test } from "vitest";
import { runHistory } from "./history.ts";
import { mutants } from "./mutants.ts";

/** Each of them was caught within a tenth of this. */
const maxHistories = 2_000;

test.each(mutants)("a membership that $name is caught", { timeout: 120_000 }, ({ apply }) => {
  const mend = apply();
  try {
    expect(firstWrong()).not.toBeNull();
  } finally {
    mend();
  }
});

function firstWrong(): string | null {
  for (let seed = 1; seed <= maxHistories; seed += 1) {
    const { wrong } = runHistory(seed);
    if (wrong !== null) return `${seed}: ${wrong}`;
  }
  return null;
}
