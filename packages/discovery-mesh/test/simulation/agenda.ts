interface Event {
  readonly atMs: number;
  /** Of two at the same time, the one that was set first comes first. */
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Virtual time: a heap of what is to happen. */
export class Agenda {
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Has something happen at a time, or now if that is over; the result cancels it. */
  at(atMs: number, run: () => void): () => void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run, cancelled: false };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Lets everything happen until a time. */
  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      if (next.cancelled) continue;
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = endMs;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, at(heap, parent))) break;
      heap[index] = at(heap, parent);
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isBefore(at(heap, right), at(heap, left)) ? right : left;
      if (!isBefore(at(heap, child), last)) break;
      heap[index] = at(heap, child);
      index = child;
    }
    heap[index] = last;
  }
}

function at(heap: readonly Event[], index: number): Event {
  const event = heap[index];
  if (!event) throw new RangeError(`the heap has no ${index}`);
  return event;
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
