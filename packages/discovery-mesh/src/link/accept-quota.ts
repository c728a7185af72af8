import type { Clock } from "@lmserv/discovery-core";
import { addressBlock } from "@lmserv/discovery-network";
import { type Rate, TokenBucket } from "./token-bucket.ts";

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
