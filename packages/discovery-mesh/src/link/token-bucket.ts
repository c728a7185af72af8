import type { Clock } from "@lmserv/discovery-core";

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Lets `burst` through at once, and `perSecond` on average. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#atMs = clock.now();
  }

  /** Whether there were that many; takes them if so. */
  take(tokens = 1): boolean {
    this.#fill();
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }

  giveBack(): void {
    this.#tokens += 1;
  }

  /** Whether it is as good as new. */
  get isFull(): boolean {
    this.#fill();
    return this.#tokens === this.#rate.burst;
  }

  #fill(): void {
    const nowMs = this.#clock.now();
    const earned = ((nowMs - this.#atMs) / 1_000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#tokens + earned, this.#rate.burst);
    this.#atMs = nowMs;
  }
}
