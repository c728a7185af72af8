import type { Trust } from "../contract/node.ts";
import { Crowd } from "./crowd.ts";
import { compareTrust, trustOrder } from "./trust.ts";

/** Ranking of a key in a full room. */
export interface Seat {
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
export class Room {
  readonly capacity: number;
  readonly #seats = new Map<string, Seat>();
  readonly #crowds = new Map<Trust, Crowd>();

  /** @param capacity - Bound on its keys, at least 1. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  keys(): Iterable<string> {
    return this.#seats.keys();
  }

  take(key: string, { trust, origin }: Seat): void {
    const before = this.#seats.get(key);
    if (before?.trust === trust && before.origin === origin) return;
    this.leave(key);
    this.#seats.set(key, { trust, origin });
    const crowd = this.#crowds.get(trust) ?? new Crowd();
    this.#crowds.set(trust, crowd);
    crowd.add(key, origin);
  }

  leave(key: string): void {
    const seat = this.#seats.get(key);
    if (!seat) return;
    this.#seats.delete(key);
    this.#crowds.get(seat.trust)?.delete(key, seat.origin);
  }

  /** Place for a new key. */
  placeFor({ trust, origin }: Seat): Place {
    const own = this.#crowds.get(trust)?.sizeOf(origin) ?? 0;
    if (own >= maxOfOrigin) return "none";
    if (this.#seats.size < this.capacity) return "free";
    const worst = trustOrder.findLast((one) => (this.#crowds.get(one)?.largest ?? 0) > 0) ?? trust;
    const crowd = this.#crowds.get(worst);
    const order = compareTrust(trust, worst);
    const isWorthMore = order < 0 || (order === 0 && crowd !== undefined && own + 1 < crowd.largest);
    const loser = isWorthMore ? crowd?.latestOfLargest() : null;
    return typeof loser === "string" ? { insteadOf: loser } : "none";
  }
}
