const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

export interface DurationRange {
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * Reads `500ms`, `3s` or `2m`, in ms.
 *
 * @throws {RangeError} for anything else, and outside the range.
 */
export function parseDuration(text: string, { leastMs, mostMs }: DurationRange): number {
  const [, digits, unit = ""] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  if (ms >= leastMs && ms <= mostMs) return ms;
  throw new RangeError(
    `A duration is a whole number and a unit, such as 500ms, 3s or 2m, from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}.`,
  );
}

/** Writes a whole number of ms as `parseDuration` reads it, in the largest unit that fits. */
export function formatDuration(ms: number): string {
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
