import type { Clock } from "@lmserv/discovery-core";
import type { OwnedRecord } from "./owned.ts";

/** How long a record rests after it was multicast, and when a name is defended (RFC 6762 section 6). */
const politeRestMs = 1_000;
export const defenceRestMs = 250;
/** How long an answer may wait for others to go along (RFC 6762 section 6.4). */
const gatherMs = 500;

interface Waiting {
  readonly owned: OwnedRecord;
  readonly sinceMs: number;
  readonly dueMs: number;
}

/** Multicast answers on their way out: delayed, gathered, and each record at most once a second. */
export class Outbox {
  readonly #clock: Clock;
  readonly #send: (answers: readonly OwnedRecord[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** When each record was multicast last; holds records of our own only. */
  readonly #sentMs = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(clock: Clock, send: (answers: readonly OwnedRecord[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** @param restMs - How long a record rests after it was multicast, at least. */
  add(answers: readonly OwnedRecord[], delayMs: number, restMs: number = politeRestMs): void {
    const nowMs = this.#clock.now();
    const dueMs = nowMs + delayMs;
    if (delayMs > 0) this.#postpone(dueMs);
    for (const owned of answers) {
      const { key } = owned;
      const restedMs = (this.#sentMs.get(key) ?? Number.NEGATIVE_INFINITY) + restMs;
      const before = this.#waiting.get(key);
      const soonestMs = Math.max(dueMs, restedMs);
      if (!before || soonestMs < before.dueMs)
        this.#waiting.set(key, { owned, sinceMs: nowMs, dueMs: soonestMs });
    }
    this.#flush();
  }

  /** Whether the record was multicast less than `ageMs` ago. */
  sentWithin(key: string, ageMs: number): boolean {
    const sentMs = this.#sentMs.get(key);
    return sentMs !== undefined && this.#clock.now() - sentMs < ageMs;
  }

  isResting(key: string): boolean {
    return this.sentWithin(key, politeRestMs);
  }

  sent(key: string): void {
    this.#sentMs.set(key, this.#clock.now());
  }

  /** Takes a record back: somebody else said it, or it is no longer true. */
  withhold(key: string): void {
    this.#waiting.delete(key);
  }

  forget(key: string): void {
    this.#waiting.delete(key);
    this.#sentMs.delete(key);
  }

  close(): void {
    this.#cancel();
    this.#waiting.clear();
  }

  /** Lets answers that wait wait for a later one, so that one packet carries all. */
  #postpone(dueMs: number): void {
    for (const [key, waiting] of this.#waiting) {
      if (dueMs > waiting.dueMs && dueMs <= waiting.sinceMs + gatherMs)
        this.#waiting.set(key, { ...waiting, dueMs });
    }
  }

  #flush(): void {
    this.#cancel();
    const nowMs = this.#clock.now();
    const due = [...this.#waiting].filter(([, { dueMs }]) => dueMs <= nowMs);
    for (const [key] of due) this.#waiting.delete(key);
    if (due.length > 0) this.#send(due.map(([, { owned }]) => owned));
    const nextMs = Math.min(...[...this.#waiting.values()].map(({ dueMs }) => dueMs));
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#cancel = this.#clock.schedule(nextMs - nowMs, () => this.#flush());
    }
  }
}
