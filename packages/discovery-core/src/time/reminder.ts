/** Pause before a lasting fault is reported again, in ms; each further one is twice as long. */
const firstPauseMs = 60_000;
const maxPauseMs = 3_600_000;
/** Bound on causes: a fault has a few; the oldest is forgotten, and may be reported too early. */
const maxCauses = 16;

interface Said {
  readonly dueMs: number;
  readonly pauseMs: number;
}

/** Decides when a lasting fault is reported: at once, then less and less often, for each cause. */
export class Reminder {
  /** Latest report last. */
  readonly #said = new Map<string, Said>();

  /** Returns true if it is due for a report, and counts it as reported. */
  isDue(cause: string, nowMs: number): boolean {
    const last = this.#said.get(cause);
    if (last && nowMs < last.dueMs) return false;
    const pauseMs = last ? Math.min(2 * last.pauseMs, maxPauseMs) : firstPauseMs;
    this.#said.delete(cause);
    this.#said.set(cause, { dueMs: nowMs + pauseMs, pauseMs });
    const [oldest] = this.#said.keys();
    if (this.#said.size > maxCauses && oldest !== undefined) this.#said.delete(oldest);
    return true;
  }

  /** Ends the fault: the next one is new. */
  clear(): void {
    this.#said.clear();
  }
}
