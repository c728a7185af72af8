import { Deadlines, FairSet, type Rank } from "@lmserv/discovery-core/transport";
import { maxEntries } from "@lmserv/discovery-store";

interface Value {
  readonly text: string;
  readonly endMs: number;
}

/**
 * Values of a bucket, with their ends.
 *
 * A server drops an unrenewed value silently (2.11 and later may report it), so that watchers keep deadlines.
 * Synchronous, without a clock: times are monotonic ms.
 */
export class NodeTable {
  readonly #values = new Map<string, Value>();
  readonly #deadlines = new Deadlines();
  /** Quotas: above the bound, the latest of the member with most gives way. */
  readonly #slots = new FairSet(maxEntries);
  /** Count of values without room, as when one member fills the bucket. */
  refused = 0;

  /** Key that gives way to a new one, or null if none must. */
  loserTo(key: string): string | null {
    if (this.#values.has(key)) return null;
    const place = this.#slots.placeFor(rankOf(key));
    return typeof place === "string" ? null : place.insteadOf;
  }

  /** Removes a value for another's sake. */
  displace(key: string): void {
    this.delete(key);
    this.refused += 1;
  }

  /** Takes a value with its end; returns true if it is new or changed. */
  put(key: string, text: string, endMs: number): boolean {
    const before = this.#values.get(key);
    if (before === undefined && this.#slots.placeFor(rankOf(key)) !== "free") {
      this.refused += 1;
      return false;
    }
    this.#slots.add(key, rankOf(key));
    this.#values.set(key, { text, endMs });
    this.#deadlines.set(key, endMs);
    return before?.text !== text;
  }

  /** Returns true if there was one. */
  delete(key: string): boolean {
    this.#deadlines.delete(key);
    this.#slots.delete(key);
    return this.#values.delete(key);
  }

  /** Next value to expire, or null. */
  firstDue(): { readonly key: string; readonly atMs: number } | null {
    return this.#deadlines.first();
  }

  /** End of a value; long ago if there is none. */
  endOf(key: string): number {
    return this.#values.get(key)?.endMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Makes a listed value expire now. */
  age(key: string, nowMs: number): void {
    if (this.has(key)) this.#deadlines.set(key, nowMs);
  }

  /** Removes expired values and returns their keys. */
  expire(nowMs: number): readonly string[] {
    const gone: string[] = [];
    for (let first = this.#deadlines.first(); first && first.atMs <= nowMs; first = this.#deadlines.first()) {
      this.delete(first.key);
      gone.push(first.key);
    }
    return gone;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get size(): number {
    return this.#values.size;
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }
}

/** A key begins with its member's id, if its writer is honest. */
function rankOf(key: string): Rank {
  return { trust: "signed", origin: key.split(".", 1)[0] ?? key };
}
