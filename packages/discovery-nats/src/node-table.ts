import { Deadlines, Room, type Seat } from "@lmserv/discovery-core/transport";
import { maxEntries } from "@lmserv/discovery-store";

interface Value {
  readonly text: string;
  readonly endMs: number;
}

/**
 * The values of a bucket, and when each runs out.
 *
 * A server drops a value that is not renewed without a word (one of 2.11 and later may tell), so that whoever watches
 * has to count along. Synchronous, without a clock: times are monotonic ms.
 */
export class NodeTable {
  readonly #values = new Map<string, Value>();
  readonly #deadlines = new Deadlines();
  /** Where there are too many, the latest of the member with most gives way. */
  readonly #room = new Room(maxEntries);
  /** Values that found no place: somebody fills the bucket. */
  refused = 0;

  /** Key that gives way to a newcomer, or null where none has to. */
  loserTo(key: string): string | null {
    if (this.#values.has(key)) return null;
    const place = this.#room.placeFor(seatOf(key));
    return typeof place === "string" ? null : place.insteadOf;
  }

  /** Takes one out for another's sake. */
  displace(key: string): void {
    this.delete(key);
    this.refused += 1;
  }

  /** Takes a value that runs out at that time; whether that is news. */
  put(key: string, text: string, endMs: number): boolean {
    const before = this.#values.get(key);
    if (before === undefined && this.#room.placeFor(seatOf(key)) !== "free") {
      this.refused += 1;
      return false;
    }
    this.#room.take(key, seatOf(key));
    this.#values.set(key, { text, endMs });
    this.#deadlines.set(key, endMs);
    return before?.text !== text;
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    this.#deadlines.delete(key);
    this.#room.leave(key);
    return this.#values.delete(key);
  }

  /** When the next one runs out, or null. */
  firstDue(): { readonly key: string; readonly atMs: number } | null {
    return this.#deadlines.first();
  }

  /** When one runs out; long ago where there is none. */
  endOf(key: string): number {
    return this.#values.get(key)?.endMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Lets one run out that is listed. */
  age(key: string, nowMs: number): void {
    if (this.has(key)) this.#deadlines.set(key, nowMs);
  }

  /** Takes out what ran out, and tells the keys. */
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

/** A key begins with the id of its member, as far as its writer is honest. */
function seatOf(key: string): Seat {
  return { trust: "signed", origin: key.split(".", 1)[0] ?? key };
}
