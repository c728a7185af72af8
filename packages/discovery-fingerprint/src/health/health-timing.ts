/** Intervals of the checks in ms, each 1 to 86,400,000. */
export interface HealthTiming {
  /** Shortest interval for a node that answers. @default 5_000 */
  readonly intervalMs: number;
  /** Shortest interval for a silent node. @default 1_000 */
  readonly silentIntervalMs: number;
  /** Interval of the questions for models and description. @default 30_000 */
  readonly listsIntervalMs: number;
}

export const usualTiming: HealthTiming = {
  intervalMs: 5_000,
  silentIntervalMs: 1_000,
  listsIntervalMs: 30_000,
};
