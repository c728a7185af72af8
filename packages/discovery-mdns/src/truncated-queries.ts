import type { Clock } from "@lmserv/discovery-core";
import type { OwnedRecord } from "./owned.ts";
import type { ResourceRecord } from "./wire/record.ts";

/** A querier whose known answers take several packets. */
interface Held {
  readonly answers: readonly OwnedRecord[];
  readonly known: readonly ResourceRecord[];
  readonly cancel: () => void;
}

/** More queriers that are in the middle of a list at one moment are a flood; they are answered at once. */
const maxQueriers = 64;
/** More than a list of all nodes that a registry holds takes. */
const maxKnownAnswers = 10_000;
/** How long the next packet is waited for (RFC 6762 section 7.2), and the answer to the last one (section 6). */
const nextWaitMs = { from: 400, to: 500 };
const lastWaitMs = { from: 20, to: 120 };

/** Holds answers back until the querier has said all that it knows (RFC 6762 section 7.2). */
export class TruncatedQueries {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #answer: (answers: readonly OwnedRecord[], known: readonly ResourceRecord[]) => void;
  readonly #held = new Map<string, Held>();

  constructor(
    clock: Clock,
    random: () => number,
    answer: (answers: readonly OwnedRecord[], known: readonly ResourceRecord[]) => void,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#answer = answer;
  }

  /** Takes one packet of a series; false when there is no room for another querier. */
  take(
    querier: string,
    answers: readonly OwnedRecord[],
    known: readonly ResourceRecord[],
    isLast: boolean,
  ): boolean {
    const before = this.#held.get(querier);
    if (!before && this.#held.size >= maxQueriers) return false;
    before?.cancel();
    const { from, to } = isLast ? lastWaitMs : nextWaitMs;
    const delayMs = from + this.#random() * (to - from);
    const held: Held = {
      answers: [...(before?.answers ?? []), ...answers],
      known: [...(before?.known ?? []), ...known].slice(0, maxKnownAnswers),
      cancel: this.#clock.schedule(delayMs, () => this.#release(querier)),
    };
    this.#held.set(querier, held);
    return true;
  }

  /** Whether a querier's list is under way. */
  has(querier: string): boolean {
    return this.#held.has(querier);
  }

  close(): void {
    for (const { cancel } of this.#held.values()) cancel();
    this.#held.clear();
  }

  #release(querier: string): void {
    const held = this.#held.get(querier);
    this.#held.delete(querier);
    if (held) this.#answer(held.answers, held.known);
  }
}
