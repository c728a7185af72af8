import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@lmserv/discovery-core/transport";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** More than this in one `advance` is a timer that re-arms itself without delay. */
const maxTimersPerAdvance = 100_000;
/** 2026-01-01T00:00:00Z: a date that nobody takes for the real one. */
const firstWallMs = 1_767_225_600_000;

/** A clock that stands still until a test moves it. */
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

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves time on by `ms` and resolves when everything that this set off has come to rest.
   *
   * Timers fire in the order of their times, equal ones in the order in which they were set; after each,
   * the promises that it resolved run to their end, so that what they schedule takes part. With 0, only
   * what is due and under way is carried out.
   *
   * @throws {RangeError} when `ms` is negative, or when timers re-arm themselves without delay.
   * @throws {TypeError} while another `advance` is under way.
   */
  async advance(ms: number): Promise<void> {
    await this.advanceUntil(() => false, ms);
  }

  /**
   * Moves time on as `advance` does, but stops as soon as `isDone` holds; resolves with whether it ever did.
   *
   * `isDone` is asked before the first timer and after each. Time stands at the timer that brought it about, and
   * `maxMs` later when none did.
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

  /** The host sleeps for `ms`: wall time goes on, monotonic time and timers stand still. */
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
