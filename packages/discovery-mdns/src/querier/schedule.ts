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

  /** Says that the question was asked. */
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

/** A few questions, each a while after the one before. */
export class Asks {
  readonly #waitsMs: readonly number[];
  #lastMs: number;
  #asked = 0;

  constructor(startMs: number, waitsMs: readonly number[]) {
    this.#lastMs = startMs;
    this.#waitsMs = waitsMs;
  }

  /** How many were asked. */
  get count(): number {
    return this.#asked;
  }

  /** When the next is due, or null after the last. */
  nextMs(): number | null {
    const waitMs = this.#waitsMs[this.#asked];
    return waitMs === undefined ? null : this.#lastMs + waitMs;
  }

  asked(nowMs: number): void {
    this.#asked += 1;
    this.#lastMs = nowMs;
  }
}

const soonMs = 1_000;
/** Those after 0, 1, 3 and 7 s. */
const hastyQuestions = 4;
const refreshes = 8;
const firstIntervalMs = 1_000;
const quickIntervalMs = 4_000;
const maxIntervalMs = 3_600_000;
const maxJitterMs = 6_000;

/**
 * When, after it was last heard of, an instance's SRV record is asked for again: from three quarters of
 * `ttlMs` on, or earlier where less than 6 s would be left, every 1 to 2 s and eight times at most; then never. The jitter, in [0, 1) of a tenth of the lifetime, lets one
 * host ask for all of them.
 *
 * RFC 6762 section 5.2 asks four times from 80 % on; eight questions make one in 3,500 go unanswered when a
 * fifth of all packets is lost, instead of one in 60.
 */
export function refreshAtMs(ttlMs: number, asked: number, jitter: number): number {
  if (asked >= refreshes) return Number.POSITIVE_INFINITY;
  const earliest = Math.min(ttlMs * 0.75, Math.max(ttlMs - 6_000, ttlMs / 4));
  const start = earliest + Math.min(ttlMs * 0.1, maxJitterMs) * jitter;
  const intervalMs = Math.min(Math.max((ttlMs - start) / refreshes, 1_010), 2_000);
  return start + asked * intervalMs;
}

/** Questions for what is missing of a new instance: the waits before each, in ms; then it is given up. */
export const resolveWaitsMs: readonly number[] = [0, 1_000, 2_000, 4_000, 8_000];
/** How long the last of them is waited for, in ms. */
export const resolveLimitMs = 10_000;

/** Questions for an instance that somebody doubts: the waits before each, in ms. */
export const reconfirmWaitsMs: readonly number[] = [0, 1_000, 1_000, 1_000, 1_000];
/** When a doubted instance that did not answer is gone; RFC 6762 section 10.4 allows 10 s. */
export const reconfirmLimitMs = 4_500;
/** How long the questions of others may go unanswered, in ms (RFC 6762 section 10.5). */
export const overhearLimitMs = 10_000;

/** How long an instance that said goodbye stays, in case another owner speaks up (RFC 6762 section 10.1). */
export const goodbyeGraceMs = 1_000;

/** Records this young survive a cache flush, for a set may come in several packets (RFC 6762 section 10.2). */
export const flushGraceMs = 1_000;

/** When whoever heard the first two questions has had the time to answer, in ms. */
export const settleMs = 1_600;

/** When those heard from who answer the question after these two, in ms: the next interval, and the time to answer. */
export const absenceMs = 3_600;

/** The wait before a question that nobody is waiting for (RFC 6762 section 5.2). */
export const startDelayMs: { readonly from: number; readonly to: number } = { from: 20, to: 120 };
