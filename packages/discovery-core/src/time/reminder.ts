/** What lasts is said again after this pause, and each time after twice the last one. */
const firstPauseMs = 60_000;
const maxPauseMs = 3_600_000;
/** A fault has a few causes; of more the oldest is forgotten, and may be said too early. */
const maxCauses = 16;

interface Said {
  readonly dueMs: number;
  readonly pauseMs: number;
}

/** Decides when a fault that lasts is worth another word: at once, then less and less often, each cause for itself. */
export class Reminder {
  /** The one said last is the last. */
  readonly #said = new Map<string, Said>();

  /** Whether to say it now; then it counts as said. */
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

  /** It is over: the next one is a new fault. */
  clear(): void {
    this.#said.clear();
  }
}
