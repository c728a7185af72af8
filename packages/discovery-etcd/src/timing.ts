/** Intervals in ms that let a fault be noticed and repaired within the lifetime of a value. */
export interface Timing {
  readonly lifetimeMs: number;
  /** Time limit of one answer of one server. */
  readonly timeoutMs: number;
  /** Time for which servers without a leader are asked again: an election takes a second or two. */
  readonly electionMs: number;
  /** Interval of the renewals of a lease. */
  readonly renewMs: number;
  /** Interval of questions to the server of a silent watch. */
  readonly serverCheckMs: number;
  /** Longest pause between two attempts. */
  readonly maxPauseMs: number;
}

export function timingOf(lifetimeMs: number): Timing {
  return {
    lifetimeMs,
    timeoutMs: Math.min(lifetimeMs / 4, 5_000),
    electionMs: Math.min(lifetimeMs / 3, 10_000),
    renewMs: lifetimeMs / 3,
    serverCheckMs: Math.min(lifetimeMs / 3, 10_000),
    maxPauseMs: Math.min(lifetimeMs / 3, 5_000),
  };
}

/** Ceiling of the first pause after a failure. */
export const firstPauseMs = 250;
