import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";
import type { ServiceRecord } from "./service-records.ts";

/** A querier whose known answers take several packets. */
interface Held {
  /** By their keys: no more than the records of our own. */
  readonly answers: Map<string, ServiceRecord>;
  /** Of what the querier knows, what we would answer. */
  readonly known: Map<string, ResourceRecord>;
  readonly sinceMs: number;
  cancel: () => void;
}

/** Takes what a querier wants, and what it knows of that. */
type Answer = (querier: string, answers: readonly ServiceRecord[], known: readonly ResourceRecord[]) => void;

/** More queriers that are in the middle of a list at one moment are a flood; they are answered at once. */
const maxQueriers = 64;
/** How long a series may go on, in ms: packets of one list follow each other at once. */
const maxSeriesMs = 2_000;
/** How long the next packet is waited for (RFC 6762 section 7.2), and the answer to the last one (section 6). */
const nextWaitMs = { from: 400, to: 500 };
const lastWaitMs = { from: 20, to: 120 };

/** Holds answers back until the querier has said all that it knows (RFC 6762 section 7.2). */
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

  /** Takes one packet of a series; false when there is nothing to hold, or no room for another querier. */
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
