import type { Clock } from "@lmserv/discovery-core/transport";
import { type ResourceRecord, recordKey } from "../dns/record.ts";

/** How long our own words may come back, in ms: from the system, over another interface, through a reflector. */
const echoMs = 2_000;

/**
 * The records that this process multicast within the last 2 s, on whichever link.
 *
 * A source address proves nothing, so that only these tell our own words from those that somebody says in our name.
 */
export class Said {
  readonly #clock: Clock;
  /** When each was said, the latest last; holds what is said in 2 s. */
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
