import type { Clock } from "@lmserv/discovery-core/transport";
import type { ServiceRecord } from "./service-records.ts";

/**
 * How long a record rests after it was multicast, and when a name is defended (RFC 6762 section 6); a little
 * over the second, and over its quarter, which count from when the packet really left.
 */
const politeRestMs = 1_010;
export const defenceRestMs = 255;
/** How long an answer may wait for others to go along (RFC 6762 section 6.4). */
const gatherMs = 500;
/** The wait before answers that others may give too, or that are several (RFC 6762 sections 6, 6.3). */
const politeDelayMs = { from: 20, to: 120 };

interface Waiting {
  readonly owned: ServiceRecord;
  readonly sinceMs: number;
  readonly dueMs: number;
}

/** Multicast answers on their way out: delayed, gathered, and each record at most once a second. */
export class ResponseQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #send: (answers: readonly ServiceRecord[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** When each record was multicast last; holds records of our own only. */
  readonly #sentMs = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(clock: Clock, random: () => number, send: (answers: readonly ServiceRecord[]) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#send = send;
  }

  /** Sends as soon as the records have rested. */
  add(answers: readonly ServiceRecord[], restMs: number = politeRestMs): void {
    this.#admit(answers, this.#clock.now(), restMs);
  }

  /** Sends after a random wait, together with whatever waits as well. */
  addPolitely(answers: readonly ServiceRecord[]): void {
    const { from, to } = politeDelayMs;
    const nowMs = this.#clock.now();
    const waitingMs = [...this.#waiting.values()]
      .map(({ dueMs }) => dueMs)
      .filter((dueMs) => dueMs <= nowMs + to);
    const dueMs = Math.max(nowMs + from + this.#random() * (to - from), ...waitingMs);
    this.#postpone(dueMs);
    this.#admit(answers, dueMs, politeRestMs);
  }

  sentWithin(key: string, ageMs: number): boolean {
    const sentMs = this.#sentMs.get(key);
    return sentMs !== undefined && this.#clock.now() - sentMs < ageMs;
  }

  restedMs(key: string, restMs: number): number {
    return (this.#sentMs.get(key) ?? Number.NEGATIVE_INFINITY) + restMs;
  }

  isResting(key: string): boolean {
    return this.sentWithin(key, politeRestMs);
  }

  /** Says that the record was just multicast: whoever waits for it has it. */
  sent(key: string): void {
    this.#waiting.delete(key);
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

  #admit(answers: readonly ServiceRecord[], dueMs: number, restMs: number): void {
    for (const owned of answers) {
      const { key } = owned;
      const soonestMs = Math.max(dueMs, this.restedMs(key, restMs));
      const before = this.#waiting.get(key);
      if (before && before.dueMs <= soonestMs) continue;
      this.#waiting.set(key, { owned, sinceMs: this.#clock.now(), dueMs: soonestMs });
    }
    this.#flush();
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
