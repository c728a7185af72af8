import type { Clock } from "@lmserv/discovery-core/transport";

/** A place taken at a node. */
export interface Reservation {
  /** The first byte of the answer came. */
  answered(): void;
  /** No connection came about, or it broke before an answer. */
  failed(): void;
  /** Gives the place back; the second time does nothing. */
  release(): void;
}

/** Requests of this process to a node. */
export interface NodeLoad {
  /** Requests under way. */
  readonly inFlight: number;
  /** Smoothed time to the first byte in ms, or null before a first answer. */
  readonly firstByteMs: number | null;
  /** True if the last attempt failed, within the last `failureMs`. */
  readonly hasFailed: boolean;
}

interface Record {
  inFlight: number;
  firstByteMs: number | null;
  failedMs: number | null;
}

/** Time for which a node that failed goes last; then its health is known. */
const failureMs = 5_000;
/** Weight of the latest measurement. */
const weight = 0.3;
/** As many nodes as a registry lists; the one reserved longest ago is forgotten first. */
const maxNodes = 10_000;
const nothing: NodeLoad = { inFlight: 0, firstByteMs: null, hasFailed: false };

/** Requests under way and times measured, by node. */
export class Loads {
  readonly #clock: Pick<Clock, "now">;
  readonly #records = new Map<string, Record>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  of(id: string): NodeLoad {
    const record = this.#records.get(id);
    if (!record) return nothing;
    const { inFlight, firstByteMs, failedMs } = record;
    const hasFailed = failedMs !== null && this.#clock.now() - failedMs < failureMs;
    return { inFlight, firstByteMs, hasFailed };
  }

  reserve(id: string): Reservation {
    const record = this.#touch(id);
    const sinceMs = this.#clock.now();
    let isHeld = true;
    record.inFlight += 1;
    return {
      answered: () => {
        const tookMs = this.#clock.now() - sinceMs;
        const before = record.firstByteMs ?? tookMs;
        record.firstByteMs = before + weight * (tookMs - before);
        record.failedMs = null;
      },
      failed: () => {
        record.failedMs = this.#clock.now();
      },
      release: () => {
        if (isHeld) record.inFlight -= 1;
        isHeld = false;
      },
    };
  }

  #touch(id: string): Record {
    const record = this.#records.get(id) ?? { inFlight: 0, firstByteMs: null, failedMs: null };
    this.#records.delete(id);
    this.#records.set(id, record);
    if (this.#records.size > maxNodes) this.#forget();
    return record;
  }

  #forget(): void {
    for (const [id, { inFlight }] of this.#records) {
      if (inFlight === 0) return void this.#records.delete(id);
    }
  }
}
