/** Bound on the places of removed members before they are reclaimed. */
const maxGaps = 16;

/** Set with direct access to its latest member, which a `Set` finds only by iterating. */
export class OrderedSet {
  readonly #members = new Set<string>();
  /** Members in the order of arrival, with some that left. */
  #order: string[] = [];

  get size(): number {
    return this.#members.size;
  }

  add(member: string): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    this.#order.push(member);
  }

  delete(member: string): boolean {
    const was = this.#members.delete(member);
    if (this.#order.length > 2 * this.#members.size + maxGaps) this.#order = [...this.#members];
    return was;
  }

  /** Latest member, or null if there is none. */
  latest(): string | null {
    for (let last = this.#order.at(-1); last !== undefined; last = this.#order.at(-1)) {
      if (this.#members.has(last)) return last;
      this.#order.pop();
    }
    return null;
  }
}
