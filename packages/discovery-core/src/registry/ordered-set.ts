/** More places than this are taken by what was removed before they are given up. */
const maxGaps = 16;

/** A set that knows its latest member at once, which a `Set` finds by reading all. */
export class OrderedSet {
  readonly #members = new Set<string>();
  /** Members in the order of their coming, with some that left. */
  #order: string[] = [];

  get size(): number {
    return this.#members.size;
  }

  add(member: string): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    this.#order.push(member);
  }

  /** Tells whether it was a member. */
  delete(member: string): boolean {
    const was = this.#members.delete(member);
    if (this.#order.length > 2 * this.#members.size + maxGaps) this.#order = [...this.#members];
    return was;
  }

  /** The member that came last, or null where there is none. */
  latest(): string | null {
    for (let last = this.#order.at(-1); last !== undefined; last = this.#order.at(-1)) {
      if (this.#members.has(last)) return last;
      this.#order.pop();
    }
    return null;
  }
}
