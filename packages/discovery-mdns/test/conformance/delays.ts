import { type Heard, query } from "@lmserv/test-netlab/raw-peer";
import type { RecordType } from "dns-packet";

export function asksFor(name: string): Buffer {
  return query({ questions: [{ name, type: "PTR" }] });
}

/** Fits packets whose answers hold a record of that type and name. */
export function answersWith(type: RecordType, name: string): (heard: Heard) => boolean {
  return ({ message }) =>
    message.response && message.answers.some((record) => record.type === type && record.name === name);
}

export interface DelayStatistics {
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
  /** Shares of the range's four quarters. */
  readonly quadrants: readonly number[];
  /** Text for the report. */
  readonly text: string;
}

export function delayStatistics(
  delaysMs: readonly number[],
  range: { readonly fromMs: number; readonly toMs: number },
): DelayStatistics {
  const sorted = [...delaysMs].sort((a, b) => a - b);
  const [minMs = Number.NaN, medianMs = Number.NaN, maxMs = Number.NaN] = [
    sorted[0],
    sorted[Math.floor(sorted.length / 2)],
    sorted.at(-1),
  ];
  const quarterMs = (range.toMs - range.fromMs) / 4;
  const inRange = sorted.filter((delayMs) => delayMs >= range.fromMs && delayMs < range.toMs);
  const quadrants = [0, 1, 2, 3].map((quadrant) => {
    const fromMs = range.fromMs + quadrant * quarterMs;
    return (
      inRange.filter((delayMs) => delayMs >= fromMs && delayMs < fromMs + quarterMs).length / inRange.length
    );
  });
  const shares = quadrants.map((share) => Math.round(100 * share)).join("/");
  const figures = [minMs, medianMs, maxMs].map((value) => value.toFixed(1)).join(" / ");
  const text = `${sorted.length} answers: ${figures} ms (least, median, most), quarters ${shares} %`;
  return { minMs, medianMs, maxMs, quadrants, text };
}
