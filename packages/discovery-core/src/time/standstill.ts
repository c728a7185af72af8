/** Lateness of a call, or shift between the clocks, that shows a sleep or a stop, in ms. */
const standstillMs = 2_000;

/** Detects that the host slept or that this process was stopped: silence in that time proves nothing. */
export class Standstill {
  readonly #limitMs: number;
  #dueMs = Number.POSITIVE_INFINITY;
  #offsetMs: number | null = null;

  /** @param limitMs - Allowed lateness of a call, and shift between the clocks. @default 2_000 */
  constructor(limitMs: number = standstillMs) {
    this.#limitMs = limitMs;
  }

  /** Sets the time of the next call, in monotonic ms. */
  expect(dueMs: number): void {
    this.#dueMs = dueMs;
  }

  /** True if a call comes too late; none is due from then on. */
  isLate(nowMs: number): boolean {
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = Number.POSITIVE_INFINITY;
    return lateMs > this.#limitMs;
  }

  /**
   * True if wall time went ahead of monotonic time, which stands still while the host sleeps, since the last
   * call.
   */
  hasSlept(nowMs: number, wallMs: number): boolean {
    const offsetMs = wallMs - nowMs;
    const movedMs = offsetMs - (this.#offsetMs ?? offsetMs);
    this.#offsetMs = offsetMs;
    return movedMs > this.#limitMs;
  }
}
