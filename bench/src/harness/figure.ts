/** A series of measurements, of which some may have come to nothing. */
export interface Figure {
  readonly unit: "ms" | "MB" | "packets" | "";
  /** In the order taken. */
  readonly samples: readonly number[];
  /** Count of runs without a result in time. */
  readonly missed: number;
}

/** @param outcomes - null for those that came to nothing. */
export function figure(unit: Figure["unit"], outcomes: readonly (number | null)[]): Figure {
  const samples = outcomes.filter((outcome) => outcome !== null);
  return { unit, samples, missed: outcomes.length - samples.length };
}

/** Value below which the share `p` of the samples is: the nearest that was measured. */
function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const rank = Math.max(Math.ceil(p * sorted.length), 1);
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = Number.NaN, high = low] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}

/** With fewer samples the 99th percentile is the maximum, which is shown anyway. */
const samplesForP99 = 100;
/** And the 95th is the maximum with fewer than that. */
const samplesForP95 = 20;

/** `70 (22-118), p95 112, 2 of 20 missed` */
export function formatFigure({ samples, missed }: Figure): string {
  const count = samples.length + missed;
  if (samples.length === 0) return count === 0 ? "-" : `none of ${count}`;
  const parts = [`${round(median(samples))}`];
  if (samples.length > 1) parts[0] += ` (${round(Math.min(...samples))}-${round(Math.max(...samples))})`;
  if (samples.length >= samplesForP99) parts.push(`p99 ${round(percentile(samples, 0.99))}`);
  else if (samples.length >= samplesForP95) parts.push(`p95 ${round(percentile(samples, 0.95))}`);
  if (missed > 0) parts.push(`${missed} of ${count} missed`);
  return parts.join(", ");
}

/** Two digits at least: 3.4, 12, 1,003. */
function round(value: number): string {
  const digits = Math.abs(value) < 10 ? 1 : 0;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
