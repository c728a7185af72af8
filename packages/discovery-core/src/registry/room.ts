import type { Trust } from "../contract/node.ts";
import { Crowd } from "./crowd.ts";
import { compareTrust, trustOrder } from "./trust.ts";

/** What decides who gives way in a full room. */
export interface Seat {
  readonly trust: Trust;
  /** Who is answerable for it: the host, key or member whose word it is. */
  readonly origin: string;
}

/** Where a newcomer goes: to a free place, to that of another, or nowhere. */
export type Place = "free" | "none" | { readonly insteadOf: string };

/** One origin has so many places at most; a router that passes on another network stays below, a flood does not. */
const maxOfOrigin = 1_000;

/**
 * A bounded set in which no flood takes the place of others.
 *
 * Where it is full, the least trusted gives way; among equals, the latest of the origin that has most.
 */
export class Room {
  readonly capacity: number;
  readonly #seats = new Map<string, Seat>();
  readonly #crowds = new Map<Trust, Crowd>();

  /** @param capacity - How many keys it holds, at least 1. */
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

  /** The place that there is for a newcomer. */
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
