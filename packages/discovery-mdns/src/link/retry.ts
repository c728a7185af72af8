const firstWaitMs = 3_000;
const maxWaitMs = 30_000;

/** When what failed is tried again: after 3 s, then after waits that double up to half a minute. */
export class Retry {
  #dueMs: number;
  #waitMs = firstWaitMs;

  constructor(failedMs: number) {
    this.#dueMs = failedMs + firstWaitMs;
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#dueMs;
  }

  failed(nowMs: number): void {
    this.#waitMs = Math.min(this.#waitMs * 2, maxWaitMs);
    this.#dueMs = nowMs + this.#waitMs;
  }
}
