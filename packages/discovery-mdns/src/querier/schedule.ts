import type { Family } from "../link/interfaces.ts";

/**
 * When a querier asks: at once, after 1 s, then at intervals that double up to an hour.
 *
 * @see RFC 6762 section 5.2
 */
export class QuestionSeries {
  nextMs: number;
  #intervalMs = firstIntervalMs;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asked = 0;

  constructor(startMs: number) {
    this.nextMs = startMs;
  }

  asked(nowMs: number): void {
    this.#askedMs = nowMs;
    this.#asked += 1;
    this.nextMs = nowMs + this.#intervalMs;
    this.#intervalMs = Math.min(this.#intervalMs * 2, maxIntervalMs);
  }

  /** Says that another host asked the same: a question that was due soon need not be asked (section 7.3). */
  heard(nowMs: number): void {
    const runningMs = this.#intervalMs / 2;
    if (this.nextMs - nowMs <= Math.max(soonMs, runningMs / 2)) this.asked(nowMs);
  }

  /**
   * Over which families the next question goes: over all while somebody waits, then over each in turn.
   *
   * Whoever is there has been heard by then, and whoever comes announces itself over all that it has.
   */
  over(families: readonly Family[]): readonly Family[] {
    const turn = this.#asked % families.length;
    return this.#asked < hastyQuestions ? families : families.slice(turn, turn + 1);
  }

  /** Starts anew: somebody new wants to know. A question of just now serves them, too. */
  restart(nowMs: number): void {
    this.nextMs = Math.max(nowMs, this.#askedMs + firstIntervalMs);
    this.#intervalMs = firstIntervalMs;
    this.#asked = 0;
  }

  /** Comes back to a short interval: something was lost and may return. */
  quicken(nowMs: number): void {
    this.#intervalMs = Math.min(this.#intervalMs, quickIntervalMs);
    this.nextMs = Math.min(this.nextMs, nowMs + this.#intervalMs);
  }
}

const soonMs = 1_000;
/** Those after 0, 1, 3 and 7 s. */
const hastyQuestions = 4;
const firstIntervalMs = 1_000;
const quickIntervalMs = 4_000;
const maxIntervalMs = 3_600_000;

/** When whoever heard the first two questions has had the time to answer, in ms. */
export const settleMs = 1_600;

/** When those heard from who answer the question after these two, in ms: the next interval, and the time to answer. */
export const absenceMs = 3_600;

/** The wait before a question that nobody is waiting for (RFC 6762 section 5.2). */
export const startDelayMs: { readonly from: number; readonly to: number } = { from: 20, to: 120 };
