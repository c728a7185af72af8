/** How often what happens, all of it a share of how long a silent announcer stays known. */
export interface Timing {
  /** Between renewals, before the jitter of a fifth. */
  readonly renewMs: number;
  /** A value that was renewed in time lasts this long at least when it cannot be renewed any more. */
  readonly spareMs: number;
  /** Longer than any announcer waits between two renewals: if nobody puts anything, it is not for want of announcers. */
  readonly muteMs: number;
  /** An idle watch hears from the server this often. */
  readonly heartbeatMs: number;
  /** A watch that hears nothing for so long is deaf. */
  readonly deafMs: number;
  /** For an answer of the server. */
  readonly requestMs: number;
  /** A question that somebody else may answer is asked again so often. */
  readonly againMs: number;
  /** For how long: servers take 4 to 9 s to choose a leader. */
  readonly retryForMs: number;
  readonly connectMs: number;
  /** Between questions whether a connection without a watch still stands; it is given up after three. */
  readonly pingMs: number;
  /** The most between two attempts to connect. */
  readonly retryMs: number;
  /** The most between two attempts of an announcer who is connected. */
  readonly returnMs: number;
  /** Announcers who were away as we were have put their values again by then, once there is a leader. */
  readonly graceMs: number;
  /**
   * When it is told that nothing is heard any more, after the last sign of life: values last about as long, and servers
   * that choose a leader, which takes 4 to 9 s, are back before it with lifetimes from 15 s on.
   */
  readonly noticeMs: number;
}

/**
 * A loss has to be known before the first value runs out that could not be renewed because of it: a value is at most
 * 0.4 lifetimes old when the server stops, a watch is known to be deaf after 0.3.
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
