import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";

/**
 * Shortest interval between two defences, in ms: a goodbye takes effect after twice this time (RFC 6762
 * section 10.1).
 */
const restMs = 500;
/**
 * Wait before the records are sent once more, in ms: a flush spares records younger than 1 s (RFC 6762
 * section 10.2).
 */
const repeatMs = 1_100;
/** Bound on the false records that one packet takes back; the second flush ends the others. */
const maxLies = 16;

export interface DefenceOptions {
  readonly clock: Clock;
  /** Sends all true records of the service, and goodbyes for the false ones. */
  readonly say: (lies: readonly ResourceRecord[]) => void;
  /** Time from which the service's records may be sent again. */
  readonly restedMs: () => number;
}

/** Contradicts false records under a service's name. */
export class Defence {
  readonly #options: DefenceOptions;
  readonly #lies = new Map<string, ResourceRecord>();
  #lastMs = Number.NEGATIVE_INFINITY;
  #cancelDue: (() => void) | null = null;
  #cancelRepeat: () => void = () => {};

  constructor(options: DefenceOptions) {
    this.#options = options;
  }

  /**
   * Sends the true records as soon as allowed.
   *
   * @param lie - False record, or null if another host took back a true one.
   */
  contradict(lie: ResourceRecord | null): void {
    if (lie && this.#lies.size < maxLies) this.#lies.set(recordKey(lie), { ...lie, ttlS: 0 });
    if (lie) this.#repeatLater();
    if (this.#cancelDue) return;
    const { clock, restedMs } = this.#options;
    const dueMs = Math.max(clock.now(), this.#lastMs + restMs, restedMs());
    if (dueMs <= clock.now()) return this.#speak();
    this.#cancelDue = clock.schedule(dueMs - clock.now(), () => {
      this.#cancelDue = null;
      this.#speak();
    });
  }

  cancel(): void {
    this.#cancelDue?.();
    this.#cancelRepeat();
  }

  #speak(): void {
    this.#lastMs = this.#options.clock.now();
    const lies = [...this.#lies.values()];
    this.#lies.clear();
    this.#options.say(lies);
  }

  #repeatLater(): void {
    this.#cancelRepeat();
    this.#cancelRepeat = this.#options.clock.schedule(repeatMs, () => this.contradict(null));
  }
}
