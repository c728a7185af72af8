import type { Family } from "../link/interfaces.ts";

/**
 * Times of a querier's questions: at once, after 1 s, then at intervals that double up to an hour.
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

  /** Takes the same question of another host: it suppresses a question that is due soon (section 7.3). */
  heard(nowMs: number): void {
    const runningMs = this.#intervalMs / 2;
    if (this.nextMs - nowMs <= Math.max(soonMs, runningMs / 2)) this.asked(nowMs);
  }

  /**
   * Families of the next question: all while a caller waits, then each in turn.
   *
   * By then every present host was heard, and new hosts announce themselves over all their families.
   */
  over(families: readonly Family[]): readonly Family[] {
    const turn = this.#asked % families.length;
    return this.#asked < hastyQuestions ? families : families.slice(turn, turn + 1);
  }

  /** Starts anew for a new caller; a question sent just now serves this caller, too. */
  restart(nowMs: number): void {
    this.nextMs = Math.max(nowMs, this.#askedMs + firstIntervalMs);
    this.#intervalMs = firstIntervalMs;
    this.#asked = 0;
  }

  /** Returns to a short interval, after a node was lost that may come back. */
  quicken(nowMs: number): void {
    this.#intervalMs = Math.min(this.#intervalMs, quickIntervalMs);
    this.nextMs = Math.min(this.nextMs, nowMs + this.#intervalMs);
  }
}

const soonMs = 1_000;
/** Questions after 0, 1, 3 and 7 s. */
const hastyQuestions = 4;
const firstIntervalMs = 1_000;
const quickIntervalMs = 4_000;
const maxIntervalMs = 3_600_000;

/** Time until the second question, in ms. */
export const secondQuestionMs: number = firstIntervalMs;

/** Time until the answers to the first two questions are in, in ms: each may wait 20 to 120 ms (RFC 6762 section 6). */
export const settleMs = 1_200;

/** Time until the answers to the third question are in, where packets are lost, in ms. */
export const lateSettleMs = 3_200;

/** Time until the answers to the third question are in, in ms: its interval and the time to answer. */
export const absenceMs = 3_600;

/** Random wait before a question without a waiting caller, in ms (RFC 6762 section 5.2). */
export const startDelayMs: { readonly from: number; readonly to: number } = { from: 20, to: 120 };
