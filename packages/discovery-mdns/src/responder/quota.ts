import type { Clock } from "@lmserv/discovery-core/transport";

/** Direct answers in one second, to one address and to all: askers who ask more get them by multicast, or not at all. */
const limits = { perAddress: 10, all: 200 };

/** Bounds what is sent to single askers, so that a forged question cannot turn this host on somebody. */
export class DirectQuota {
  readonly #clock: Clock;
  /** At most as many addresses as there are answers in a second. */
  readonly #sent = new Map<string, number>();
  #all = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether another answer may go to the address; counts it if so. */
  admits(address: string): boolean {
    const nowMs = this.#clock.now();
    if (nowMs - this.#sinceMs >= 1_000) {
      this.#sinceMs = nowMs;
      this.#all = 0;
      this.#sent.clear();
    }
    const sent = this.#sent.get(address) ?? 0;
    if (sent >= limits.perAddress || this.#all >= limits.all) return false;
    this.#sent.set(address, sent + 1);
    this.#all += 1;
    return true;
  }
}
