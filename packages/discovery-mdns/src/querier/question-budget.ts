import type { Instance } from "./instance.ts";

/** Questions available at once: enough for a hundred hosts that send few records unasked. */
const most = 512;
/** Share of one address: enough for a reflector of several hosts, and little for a flood. */
const mostPerOrigin = 128;
/** Time until another question becomes available, in ms. */
const refillMs = 500;

/**
 * Budget of questions about instances that never answered.
 *
 * A forged name costs its sender a hundredth of what the questions for it cost. An answer refunds its
 * questions.
 */
export class QuestionBudget {
  readonly #spent = new Map<Instance, number>();
  readonly #byOrigin = new Map<string, number>();
  #left = most;
  #refilledMs = 0;

  /** Returns true and counts the questions if that many are available for an instance. */
  admits(instance: Instance, questions: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const ofOrigin = this.#byOrigin.get(instance.origin) ?? 0;
    if (questions > this.#left || ofOrigin + questions > mostPerOrigin) return false;
    this.#left -= questions;
    this.#count(instance, questions);
    return true;
  }

  refund(instance: Instance): void {
    this.#left = Math.min(this.#left + this.forget(instance), most);
  }

  /** Stops counting an instance against its origin; returns the questions spent on it. */
  forget(instance: Instance): number {
    const spent = this.#spent.get(instance) ?? 0;
    if (spent > 0) this.#count(instance, -spent);
    return spent;
  }

  #count(instance: Instance, questions: number): void {
    add(this.#spent, instance, questions);
    add(this.#byOrigin, instance.origin, questions);
  }

  #refill(nowMs: number): void {
    const due = Math.floor((nowMs - this.#refilledMs) / refillMs);
    this.#left = Math.min(this.#left + due, most);
    this.#refilledMs += due * refillMs;
  }
}

/** Deletes a count that reaches zero. */
function add<Key>(counts: Map<Key, number>, key: Key, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
