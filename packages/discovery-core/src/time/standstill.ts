/** A call this late, or clocks this far apart, mean that the host slept or the process was stopped. */
const standstillMs = 2_000;

/** Notices that a host slept, or that this process was stopped: what it missed is nobody's silence. */
export class Standstill {
  readonly #limitMs: number;
  #dueMs = Number.POSITIVE_INFINITY;
  #offsetMs: number | null = null;

  /** @param limitMs - How late a call may be, and how far the clocks may move apart. @default 2_000 */
  constructor(limitMs: number = standstillMs) {
    this.#limitMs = limitMs;
  }

  /** Says when the next call is due, in monotonic ms. */
  expect(dueMs: number): void {
    this.#dueMs = dueMs;
  }

  /** Whether a call comes too late; none is due from then on. */
  isLate(nowMs: number): boolean {
    const lateMs = nowMs - this.#dueMs;
    this.#dueMs = Number.POSITIVE_INFINITY;
    return lateMs > this.#limitMs;
  }

  /** Whether wall time went ahead of monotonic time, which stands still while the host sleeps, since the last call. */
  hasSlept(nowMs: number, wallMs: number): boolean {
    const offsetMs = wallMs - nowMs;
    const movedMs = offsetMs - (this.#offsetMs ?? offsetMs);
    this.#offsetMs = offsetMs;
    return movedMs > this.#limitMs;
  }
}
