/** Bounds of the pauses between attempts, in ms. */
export interface BackoffBounds {
  /** Ceiling of the pause after the first failure; it doubles with each further one. */
  readonly firstMs: number;
  /** Highest ceiling. */
  readonly maxMs: number;
}

/**
 * Pause before the next attempt, in ms.
 *
 * It is random below a ceiling that doubles with each failure ("full jitter"). Clients that failed together
 * do not return together.
 *
 * @param failures - Count in a row, at least 1.
 * @param random - Uniform in [0, 1).
 */
export function backoffMs(failures: number, { firstMs, maxMs }: BackoffBounds, random: () => number): number {
  return random() * Math.min(maxMs, firstMs * 2 ** (failures - 1));
}
