/** How often what happens, in ms, so that a fault is noticed and mended within the lifetime of a value. */
export interface Timing {
  readonly lifetimeMs: number;
  /** How long one server has for one answer. */
  readonly timeoutMs: number;
  /** For how long servers are asked again that answer, and choose a leader: that takes them a second or two. */
  readonly electionMs: number;
  /** How often a lease is renewed. */
  readonly renewMs: number;
  /** How often the server of a silent watch is asked whether it is there. */
  readonly probeMs: number;
  /** The longest pause between two attempts. */
  readonly maxPauseMs: number;
}

export function timingOf(lifetimeMs: number): Timing {
  return {
    lifetimeMs,
    timeoutMs: Math.min(lifetimeMs / 4, 5_000),
    electionMs: Math.min(lifetimeMs / 3, 10_000),
    renewMs: lifetimeMs / 3,
    probeMs: Math.min(lifetimeMs / 3, 10_000),
    maxPauseMs: Math.min(lifetimeMs / 3, 5_000),
  };
}

/** Ceiling of the first pause after a failure. */
export const firstPauseMs = 250;
