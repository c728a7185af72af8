import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@lmserv/discovery-core/transport";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Bound on the timers of one `advance`: more are a timer that re-arms itself without delay. */
const maxTimersPerAdvance = 100_000;
/** 2026-01-01T00:00:00Z, a date that is easily told from the real one. */
const firstWallMs = 1_767_225_600_000;

/** Clock that stands still until a test moves it. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;
  #wallOffsetMs = firstWallMs;
  #advancing = false;

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(delayMs, 0), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Count of waiting timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Advances time by `ms` and resolves when all resulting work has settled.
   *
   * Timers fire in the order of their times, equal ones in the order in which they were set. After each, its
   * resolved promises run to their end and may schedule further timers. With 0, only due timers and pending
   * promises run.
   *
   * @throws {RangeError} when `ms` is negative, or when timers re-arm themselves without delay.
   * @throws {TypeError} while another `advance` is under way.
   */
  async advance(ms: number): Promise<void> {
    await this.advanceUntil(() => false, ms);
  }

  /**
   * Advances time as `advance` does, but stops once `isDone` returns true; resolves with true if it did.
   *
   * `isDone` is called before the first timer and after each. Time stays at the timer that fulfilled it, or
   * goes `maxMs` ahead.
   *
   * @throws {RangeError} when `maxMs` is negative, or when timers re-arm themselves without delay.
   * @throws {TypeError} while another `advance` is under way.
   */
  async advanceUntil(isDone: () => boolean, maxMs: number): Promise<boolean> {
    if (!(maxMs >= 0)) throw new RangeError(`ms ${maxMs} must be at least 0`);
    if (this.#advancing) throw new TypeError("this clock is being advanced; await that first");
    this.#advancing = true;
    try {
      return await this.#fireUntil(this.#nowMs + maxMs, isDone);
    } finally {
      this.#advancing = false;
    }
  }

  /** Suspends the host for `ms`: wall time goes on, monotonic time and timers stand still. */
  sleepHost(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  async #fireUntil(endMs: number, isDone: () => boolean): Promise<boolean> {
    await turn();
    if (isDone()) return true;
    let fired = 0;
    for (let timer = this.#due(endMs); timer; timer = this.#due(endMs)) {
      fired += 1;
      if (fired > maxTimersPerAdvance) {
        throw new RangeError(`more than ${maxTimersPerAdvance} timers fired before ${endMs} ms`);
      }
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.callback();
      await turn();
      if (isDone()) return true;
    }
    this.#nowMs = endMs;
    return false;
  }

  #due(endMs: number): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.atMs <= endMs && (!first || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}
