import type { Clock } from "@lmserv/discovery-core/transport";

/** Direct answers per second, to one address and to all; further ones go by multicast or not at all. */
const limits = { perAddress: 10, all: 200 };

/** Bounds direct answers, so that forged questions cannot turn this host against a victim. */
export class DirectQuota {
  readonly #clock: Clock;
  /** Bounded by the answers of one second. */
  readonly #sent = new Map<string, number>();
  #all = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns true and counts the answer if another may go to the address. */
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
