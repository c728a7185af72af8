import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";

/** How often at most a service is defended: what was taken back lives on for twice as long (RFC 6762 section 10.1). */
const restMs = 500;
/** A flush spares what is younger than 1 s (RFC 6762 section 10.2): after this while the truth is said once more. */
const repeatMs = 1_100;
/** Lies that one packet takes back beside the truth; those beyond them the second flush ends. */
const maxLies = 16;

export interface DefenceOptions {
  readonly clock: Clock;
  /** Says all that is true of the service, and takes back what is not. */
  readonly say: (lies: readonly ResourceRecord[]) => void;
  /** When the service may be spoken of again. */
  readonly restedMs: () => number;
}

/** Contradicts what somebody says in a service's name. */
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
   * Says the truth as soon as may be.
   *
   * @param lie - A record that is not the service's, or null where one of its own was taken back.
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
