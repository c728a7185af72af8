import type { Clock } from "@lmserv/discovery-core/transport";

/** Counts the timers set on it that neither fired nor were cancelled. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<object>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = {};
    this.#pending.add(timer);
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#pending.delete(timer);
      callback();
    });
    return () => {
      this.#pending.delete(timer);
      cancel();
    };
  }
}
