import { expect, test } from "vitest";
import { runHistory } from "./history.ts";

/** Enough for each of the mutants; CI plays ten times as many, and `npm run simulate` ten thousand. */
const count = Number(process.env.LMSERV_HISTORIES ?? 150);
const first = Number(process.env.LMSERV_SEED ?? 1);

test(`${count} random histories end in agreement`, { timeout: 3_600_000 }, () => {
  for (let seed = first; seed < first + count; seed += 1) {
    const { wrong } = runHistory(seed);
    expect(wrong, `to see it again: LMSERV_SEED=${seed} LMSERV_HISTORIES=1`).toBeNull();
  }
});
