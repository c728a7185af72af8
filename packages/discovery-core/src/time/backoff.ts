/** Bounds of the pauses between attempts, in ms. */
export interface BackoffBounds {
  /** Ceiling of the pause after the first failure; it doubles with each further one. */
  readonly firstMs: number;
  /** Highest ceiling. */
  readonly maxMs: number;
}

/**
 * Pause before the next attempt, in ms: anywhere below a ceiling that doubles with each failure ("full jitter"), so that
 * clients that failed at one moment do not come back at one moment.
 *
 * @param failures - In a row so far, at least 1.
 * @param random - Uniform in [0, 1).
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffBounds, random: () => number): number {
  return random() * Math.min(maxMs, firstMs * 2 ** (failures - 1));
}
