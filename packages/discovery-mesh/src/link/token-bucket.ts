import type { Clock } from "@lmserv/discovery-core/transport";
import { addressBlock } from "@lmserv/discovery-network";

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

/** Addresses with a bucket of their own; the others share one while all of these are busy. */
const maxAddresses = 1_024;

/** Bounds how often one address may connect. */
export class AcceptQuota {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #shared: TokenBucket;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#shared = new TokenBucket(clock, rate);
  }

  /** The bucket of an address. */
  bucket(address: string): TokenBucket {
    const key = addressBlock(address);
    const known = this.#buckets.get(key);
    if (known) return known;
    if (this.#buckets.size >= maxAddresses) this.#forgetIdle();
    if (this.#buckets.size >= maxAddresses) return this.#shared;
    const bucket = new TokenBucket(this.#clock, this.#rate);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetIdle(): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull) this.#buckets.delete(key);
  }
}
