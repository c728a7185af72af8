import type { Trust } from "../contract/node.ts";
import { KeysByOrigin } from "./keys-by-origin.ts";
import { compareTrust, trustOrder } from "./trust.ts";

/** Ranking of a key in a full set. */
export interface Rank {
  readonly trust: Trust;
  /** Responsible origin: the host, key or member that reported it. */
  readonly origin: string;
}

/** Place for a new key: free, that of another, or none. */
export type Place = "free" | "none" | { readonly insteadOf: string };

/** Bound on one origin's places: a router that passes on another network stays below, a flood does not. */
const maxOfOrigin = 1_000;

/**
 * Bounded set in which no flood displaces others.
 *
 * If it is full, the least trusted gives way; among equals, the latest of the largest origin.
 */
export class FairSet {
  readonly capacity: number;
  readonly #ranks = new Map<string, Rank>();
  readonly #byTrust = new Map<Trust, KeysByOrigin>();

  /** @param capacity - Bound on its keys, at least 1. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  keys(): Iterable<string> {
    return this.#ranks.keys();
  }

  add(key: string, { trust, origin }: Rank): void {
    const before = this.#ranks.get(key);
    if (before?.trust === trust && before.origin === origin) return;
    this.delete(key);
    this.#ranks.set(key, { trust, origin });
    const peers = this.#byTrust.get(trust) ?? new KeysByOrigin();
    this.#byTrust.set(trust, peers);
    peers.add(key, origin);
  }

  delete(key: string): void {
    const rank = this.#ranks.get(key);
    if (!rank) return;
    this.#ranks.delete(key);
    this.#byTrust.get(rank.trust)?.delete(key, rank.origin);
  }

  /** Place for a new key. */
  placeFor({ trust, origin }: Rank): Place {
    const own = this.#byTrust.get(trust)?.sizeOf(origin) ?? 0;
    if (own >= maxOfOrigin) return "none";
    if (this.#ranks.size < this.capacity) return "free";
    const worst = trustOrder.findLast((one) => (this.#byTrust.get(one)?.largest ?? 0) > 0) ?? trust;
    const peers = this.#byTrust.get(worst);
    const order = compareTrust(trust, worst);
    const isWorthMore = order < 0 || (order === 0 && peers !== undefined && own + 1 < peers.largest);
    const loser = isWorthMore ? peers?.latestOfLargest() : null;
    return typeof loser === "string" ? { insteadOf: loser } : "none";
  }
}
