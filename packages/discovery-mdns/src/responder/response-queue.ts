import type { Clock } from "@lmserv/discovery-core/transport";
import type { ServiceRecord } from "./service-records.ts";

/**
 * Rest of a record after its multicast, and in defence of a name, in ms (RFC 6762 section 6).
 *
 * Both exceed the second and its quarter a little, which count from the actual sending.
 */
const politeRestMs = 1_010;
export const defenceRestMs = 255;
/** Longest wait of an answer for others to join, in ms (RFC 6762 section 6.4). */
const gatherMs = 500;
/** Random wait before shared answers, or several, in ms (RFC 6762 sections 6, 6.3). */
const politeDelayMs = { from: 20, to: 120 };

interface Waiting {
  readonly owned: ServiceRecord;
  readonly sinceMs: number;
  readonly dueMs: number;
}

/** Queue of multicast answers: delayed, aggregated, each record at most once a second. */
export class ResponseQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #send: (answers: readonly ServiceRecord[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** Time of each record's latest multicast; holds own records only. */
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

  /** Sends after a random wait, together with all queued answers. */
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

  /** Records a multicast of the record, which serves every asker. */
  sent(key: string): void {
    this.#waiting.delete(key);
    this.#sentMs.set(key, this.#clock.now());
  }

  /** Withdraws a record that another host sent or that is no longer true. */
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

  /** Delays queued answers to a later one, so that one packet carries all. */
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
