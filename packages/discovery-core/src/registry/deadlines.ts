interface Queued {
  readonly key: string;
  readonly atMs: number;
}

/**
 * Earliest of many deadlines, one for each key.
 *
 * A binary heap that lags behind: moving a deadline later, the common case, costs nothing until its old place
 * comes up. It keeps at most twice as many places as keys, and a few for the start.
 */
export class Deadlines {
  readonly #deadlines = new Map<string, number>();
  #heap: Queued[] = [];

  set(key: string, atMs: number): void {
    const before = this.#deadlines.get(key);
    this.#deadlines.set(key, atMs);
    if (before === undefined || atMs < before) this.#add({ key, atMs });
  }

  delete(key: string): void {
    this.#deadlines.delete(key);
  }

  /** Key that is due first, or null if there is none. */
  first(): Queued | null {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      const atMs = this.#deadlines.get(top.key);
      if (atMs === top.atMs) return top;
      this.#removeTop();
      if (atMs !== undefined && atMs > top.atMs) this.#add({ key: top.key, atMs });
    }
    return null;
  }

  #add(queued: Queued): void {
    if (this.#heap.length > 2 * this.#deadlines.size + 64) this.#rebuild();
    this.#heap.push(queued);
    this.#siftUp(this.#heap.length - 1);
  }

  #rebuild(): void {
    this.#heap = [...this.#deadlines].map(([key, atMs]) => ({ key, atMs })).sort((a, b) => a.atMs - b.atMs);
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  #siftUp(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfEarlier(child, parent)) return;
      child = parent;
    }
  }

  #siftDown(index: number): void {
    for (let parent = index; ; ) {
      const left = 2 * parent + 1;
      const earlier = this.#atMs(left + 1) < this.#atMs(left) ? left + 1 : left;
      if (!this.#swapIfEarlier(earlier, parent)) return;
      parent = earlier;
    }
  }

  #atMs(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swapIfEarlier(lower: number, upper: number): boolean {
    const a = this.#heap[lower];
    const b = this.#heap[upper];
    if (!a || !b || a.atMs >= b.atMs) return false;
    this.#heap[lower] = b;
    this.#heap[upper] = a;
    return true;
  }
}
