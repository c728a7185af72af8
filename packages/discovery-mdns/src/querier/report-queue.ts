import type { Clock } from "@lmserv/discovery-core/transport";
import type { Instance } from "./instance.ts";

/** Instances of one turn; one packet of a flood may touch all that are known. */
const maxPerTurn = 128;
/** Pause after a full turn, in ms, which leaves most of a processor to others. */
const pauseMs = 25;

/** Reports touched instances in the order in which they were touched, a bounded number in each turn. */
export class ReportQueue {
  readonly #clock: Clock;
  readonly #report: (instances: readonly Instance[]) => void;
  readonly #waiting = new Set<Instance>();
  /** Ends the pause, or null outside one. */
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, report: (instances: readonly Instance[]) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Reports instances at once, or after the pause where the turn is full. */
  add(instances: Iterable<Instance>): void {
    for (const instance of instances) this.#waiting.add(instance);
    if (this.#cancel === null) this.#work();
  }

  delete(instance: Instance): void {
    this.#waiting.delete(instance);
  }

  clear(): void {
    this.#waiting.clear();
    this.#cancel?.();
    this.#cancel = null;
  }

  #work(): void {
    const turn = [...this.#waiting].slice(0, maxPerTurn);
    for (const instance of turn) this.#waiting.delete(instance);
    const isFull = turn.length === maxPerTurn;
    this.#cancel = isFull ? this.#clock.schedule(pauseMs, () => this.#work()) : null;
    this.#report(turn);
  }
}
