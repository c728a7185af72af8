/** The times of the membership, in ms. */
export interface Timing {
  /** How long a member is believed without a sign of life. */
  readonly ttlMs: number;
  /** From one own signed sign of life to the next, for peers that pass it on. */
  readonly renewMs: number;
  /** The same for all peers: whatever was lost between two is found by then. */
  readonly assureMs: number;
  /** How long a member whose link broke has to come back before it is dropped. */
  readonly graceMs: number;
  /** The same for one that fell silent, which took its time already. */
  readonly silentGraceMs: number;
  /** How long a member may lack a link before others are asked to pass on its signs of life. */
  readonly askAfterMs: number;
  /** How old its last sign of life may be for us to vouch for a member. */
  readonly freshMs: number;
  /** From one comparison with a random peer to the next. */
  readonly syncMs: number;
  /** How long it is remembered that a member left or was lost. */
  readonly graveMs: number;
  /** How late a timer must be for this process to have been stalled, or suspended. */
  readonly stallMs: number;
  /** How much longer the member with the lesser id waits for the other one to dial. */
  readonly yieldMs: number;
  /** How long a link must hold for somebody who gave way to say again that it is there. */
  readonly resumeMs: number;
}

export const defaultTiming: Timing = {
  ttlMs: 15_000,
  renewMs: 5_000,
  assureMs: 60_000,
  graceMs: 2_000,
  silentGraceMs: 1_000,
  askAfterMs: 4_000,
  freshMs: 7_500,
  syncMs: 60_000,
  graveMs: 600_000,
  stallMs: 2_500,
  yieldMs: 3_000,
  resumeMs: 5_000,
};

/** Origin to peer is 0; one relay is 1, two are 2: more would not be heard of in time. */
export const maxHops = 2;
