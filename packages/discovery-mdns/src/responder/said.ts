import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";

/** Time for which our own packets may come back, in ms: from the system, another interface or a reflector. */
const echoMs = 2_000;

/**
 * Records that this process multicast within the last 2 s, on any link.
 *
 * A source address proves nothing, so that only this log tells our own records from forged ones.
 */
export class Said {
  readonly #clock: Clock;
  /** Time of each record, the latest last; holds 2 s of records. */
  readonly #atMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(records: readonly ResourceRecord[]): void {
    const nowMs = this.#clock.now();
    for (const record of records) {
      if (record.ttlS === 0) continue;
      const key = recordKey(record);
      this.#atMs.delete(key);
      this.#atMs.set(key, nowMs);
    }
    for (const [key, atMs] of this.#atMs) {
      if (nowMs - atMs <= echoMs) break;
      this.#atMs.delete(key);
    }
  }

  has(record: ResourceRecord): boolean {
    const atMs = this.#atMs.get(recordKey(record));
    return atMs !== undefined && this.#clock.now() - atMs <= echoMs;
  }
}
