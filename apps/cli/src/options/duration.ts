import { parseDuration } from "@lmserv/discovery-config";

export interface DurationRange {
  readonly leastMs: number;
  readonly mostMs: number;
}

/**
 * Parses a duration in the format of the configuration file, to ms.
 *
 * @throws {RangeError} for anything else, and outside the range.
 */
export function parseDurationIn(text: string, { leastMs, mostMs }: DurationRange): number {
  const ms = parseDuration(text);
  if (ms !== null && ms >= leastMs && ms <= mostMs) return ms;
  throw new RangeError(
    `A duration is in seconds, or has a unit, such as 500ms, 3s, 2m or 1h, from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}.`,
  );
}

/** Formats a whole number of ms in the largest unit of which it is a multiple. */
export function formatDuration(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

const units = [
  { letter: "d", ms: 86_400_000 },
  { letter: "h", ms: 3_600_000 },
  { letter: "m", ms: 60_000 },
] as const;

/** Formats an age in its largest whole unit: `42s`, `5m`, `3h`, `12d`. */
export function formatAge(ms: number): string {
  const unit = units.find((one) => ms >= one.ms);
  return unit ? `${Math.floor(ms / unit.ms)}${unit.letter}` : `${Math.max(0, Math.floor(ms / 1_000))}s`;
}
