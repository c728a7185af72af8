import type { Instance } from "./instance.ts";

/** Questions at once: what a hundred hosts that tell little of themselves need. */
const most = 512;
/** Of these, so many about what one address introduced: a reflector needs more than one host, and a flood gets no more. */
const mostPerOrigin = 128;
/** How long it takes until another may be asked, in ms. */
const refillMs = 500;

/**
 * A budget of questions about instances that never answered any.
 *
 * Anybody can name what is not there, in a hundredth of what it takes to ask for it. Whoever answers gives back what
 * was spent on it.
 */
export class QuestionBudget {
  readonly #spent = new Map<Instance, number>();
  /** Holds only origins of instances in `#spent`. */
  readonly #byOrigin = new Map<string, number>();
  #left = most;
  #refilledMs = 0;

  /** Whether so many more may be asked about an instance; counts them if so. */
  admits(instance: Instance, questions: number, nowMs: number): boolean {
    this.#refill(nowMs);
    const ofOrigin = this.#byOrigin.get(instance.origin) ?? 0;
    if (questions > this.#left || ofOrigin + questions > mostPerOrigin) return false;
    this.#left -= questions;
    this.#count(instance, questions);
    return true;
  }

  /** Gives back what was spent on an instance that answered. */
  refund(instance: Instance): void {
    this.#left = Math.min(this.#left + this.forget(instance), most);
  }

  /** Stops counting an instance against its origin; returns what was spent on it. */
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

/** Keeps no zeros. */
function add<Key>(counts: Map<Key, number>, key: Key, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
