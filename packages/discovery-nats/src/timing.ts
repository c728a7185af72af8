/** Intervals in ms, each a share of the time for which a silent announcer stays known. */
export interface Timing {
  /** Interval of renewals, before the jitter of a fifth. */
  readonly renewMs: number;
  /** Least remaining life of a value that was renewed in time and cannot be renewed any more. */
  readonly spareMs: number;
  /**
   * Longer than any announcer waits between two renewals: if nothing is put for this long, the server is at
   * fault.
   */
  readonly muteMs: number;
  /** Interval of the server's heartbeats on an idle watch. */
  readonly heartbeatMs: number;
  /** Silence after which a watch is deaf. */
  readonly deafMs: number;
  /** Time limit of an answer. */
  readonly requestMs: number;
  /** Interval of a hedged question, which another server may answer. */
  readonly againMs: number;
  /** Time for which it is repeated: an election takes 4 to 9 s. */
  readonly retryForMs: number;
  readonly connectMs: number;
  /** Interval of pings on a connection without a watch; it ends after three without an answer. */
  readonly pingMs: number;
  /** Longest wait between two attempts to connect. */
  readonly retryMs: number;
  /** Longest wait between two attempts of a connected announcer. */
  readonly returnMs: number;
  /** Time after a new leader by which announcers that were cut off with us have put their values again. */
  readonly graceMs: number;
  /**
   * Silence after which the loss is reported.
   *
   * Values last about as long. An election takes 4 to 9 s: it ends before that with lifetimes from 15 s on.
   */
  readonly noticeMs: number;
}

/**
 * A loss must be known before a value expires that could not be renewed because of it.
 *
 * A value is at most 0.4 lifetimes old when the server stops. A watch is known to be deaf after 0.3.
 */
export function timingOf(lifetimeMs: number): Timing {
  const share = (part: number, leastMs: number, mostMs: number): number =>
    Math.round(Math.min(Math.max(lifetimeMs * part, leastMs), mostMs));
  const heartbeatMs = share(1 / 12, 100, 2_000);
  const requestMs = share(1 / 6, 500, 5_000);
  const retryMs = share(1 / 4, 500, 10_000);
  const returnMs = share(1 / 12, 100, 10_000);
  return {
    renewMs: lifetimeMs / 3,
    spareMs: 0.6 * lifetimeMs,
    muteMs: 0.5 * lifetimeMs,
    heartbeatMs,
    deafMs: share(0.3, 3 * heartbeatMs, 10_000),
    requestMs,
    againMs: share(1 / 30, 250, 1_000),
    retryForMs: share(0.4, 500, 10_000),
    connectMs: share(1 / 4, 1_000, 5_000),
    pingMs: share(1 / 6, 500, 20_000),
    retryMs,
    returnMs,
    graceMs: retryMs + returnMs + requestMs,
    noticeMs: share(0.65, 1_000, 30_000),
  };
}

/** Ceiling of the first pause after a failure. */
export const firstRetryMs = 100;
