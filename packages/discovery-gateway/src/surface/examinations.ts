import type { Clock } from "@lmserv/discovery-core/transport";
import type { DoctorDocument } from "../document.ts";

/** Examines what keeps nodes from being found here; rejects when the signal aborts. */
export type Examine = (signal: AbortSignal) => Promise<DoctorDocument>;

/** Shortest interval of examinations in ms: each sends packets on every interface, and takes seconds. */
const leastMs = 60_000;

export interface Examination {
  readonly document: DoctorDocument;
  /** When it ended, on the clock, in ms. */
  readonly endedMs: number;
}

/** Examinations of this machine: one at a time and one a minute at most, shared by all callers. */
export class Examinations {
  readonly #examine: Examine;
  readonly #clock: Pick<Clock, "now">;
  readonly #signal: AbortSignal;
  #latest: Promise<Examination> | null = null;
  /** Time from which the latest may be replaced; infinite while it is running. */
  #dueMs = 0;

  constructor(examine: Examine, clock: Pick<Clock, "now">, signal: AbortSignal) {
    this.#examine = examine;
    this.#clock = clock;
    this.#signal = signal;
  }

  /**
   * Latest examination, or a new one after a minute; rejects with its error, which also holds for a minute.
   */
  latest(): Promise<Examination> {
    if (this.#latest === null || this.#clock.now() >= this.#dueMs) this.#latest = this.#begin();
    return this.#latest;
  }

  async #begin(): Promise<Examination> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    try {
      const document = await this.#examine(this.#signal);
      return { document, endedMs: this.#clock.now() };
    } finally {
      this.#dueMs = this.#clock.now() + leastMs;
    }
  }
}
