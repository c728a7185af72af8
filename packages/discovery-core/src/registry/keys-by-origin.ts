import { OrderedSet } from "./ordered-set.ts";

/** Keys by origin, with direct access to the largest origin. */
export class KeysByOrigin {
  readonly #keys = new Map<string, OrderedSet>();
  readonly #bySize = new Map<number, OrderedSet>();
  /** Count of the largest origin's keys. */
  largest = 0;

  sizeOf(origin: string): number {
    return this.#keys.get(origin)?.size ?? 0;
  }

  add(key: string, origin: string): void {
    const keys = this.#keys.get(origin) ?? new OrderedSet();
    this.#keys.set(origin, keys);
    keys.add(key);
    this.#move(origin, keys.size - 1, keys.size);
    this.largest = Math.max(this.largest, keys.size);
  }

  delete(key: string, origin: string): void {
    const keys = this.#keys.get(origin);
    if (!keys?.delete(key)) return;
    if (keys.size === 0) this.#keys.delete(origin);
    this.#move(origin, keys.size + 1, keys.size);
    if (!this.#bySize.has(this.largest)) this.largest -= 1;
  }

  /** Latest key of the latest of the largest origins, or null if there is none. */
  latestOfLargest(): string | null {
    const origin = this.#bySize.get(this.largest)?.latest() ?? null;
    return origin === null ? null : (this.#keys.get(origin)?.latest() ?? null);
  }

  #move(origin: string, from: number, to: number): void {
    const before = this.#bySize.get(from);
    before?.delete(origin);
    if (before?.size === 0) this.#bySize.delete(from);
    if (to === 0) return;
    const after = this.#bySize.get(to) ?? new OrderedSet();
    this.#bySize.set(to, after);
    after.add(origin);
  }
}
