import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";
import type { ServiceRecord } from "./service-records.ts";

/** Querier whose known answers take several packets. */
interface Held {
  /** By record key: bounded by our own records. */
  readonly answers: Map<string, ServiceRecord>;
  /** Known answers of the querier, as far as we would send them. */
  readonly known: Map<string, ResourceRecord>;
  readonly sinceMs: number;
  cancel: () => void;
}

/** Receives the answers for a querier and its known ones. */
type Answer = (querier: string, answers: readonly ServiceRecord[], known: readonly ResourceRecord[]) => void;

/** Bound on queriers with an incomplete list; more at one moment are a flood and get answers at once. */
const maxQueriers = 64;
/** Longest duration of a series, in ms: its packets follow each other at once. */
const maxSeriesMs = 2_000;
/** Wait in ms for the next packet (RFC 6762 section 7.2), and of the last one's answer (section 6). */
const nextWaitMs = { from: 400, to: 500 };
const lastWaitMs = { from: 20, to: 120 };

/** Holds answers back until the querier's known answers are complete (RFC 6762 section 7.2). */
export class TruncatedQueries {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #answer: Answer;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock, random: () => number, answer: Answer) {
    this.#clock = clock;
    this.#random = random;
    this.#answer = answer;
  }

  /** Takes one packet of a series; false if there is nothing to hold, or no room for another querier. */
  take(
    querier: string,
    answers: readonly ServiceRecord[],
    known: readonly ResourceRecord[],
    isLast: boolean,
  ): boolean {
    const held = this.#held.get(querier) ?? (answers.length > 0 ? this.#hold(querier) : null);
    if (!held) return false;
    for (const answer of answers) held.answers.set(answer.key, answer);
    for (const record of known) {
      const key = recordKey(record);
      if (held.answers.has(key)) held.known.set(key, record);
    }
    if (this.#clock.now() - held.sinceMs >= maxSeriesMs) return true;
    const { from, to } = isLast ? lastWaitMs : nextWaitMs;
    held.cancel();
    held.cancel = this.#clock.schedule(from + this.#random() * (to - from), () => this.#release(querier));
    return true;
  }

  has(querier: string): boolean {
    return this.#held.has(querier);
  }

  close(): void {
    for (const { cancel } of this.#held.values()) cancel();
    this.#held.clear();
  }

  #hold(querier: string): Held | null {
    if (this.#held.size >= maxQueriers) return null;
    const held: Held = { answers: new Map(), known: new Map(), sinceMs: this.#clock.now(), cancel: () => {} };
    this.#held.set(querier, held);
    return held;
  }

  #release(querier: string): void {
    const held = this.#held.get(querier);
    this.#held.delete(querier);
    if (held) this.#answer(querier, [...held.answers.values()], [...held.known.values()]);
  }
}
