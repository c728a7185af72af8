import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { ResourceRecord } from "../dns/record.ts";
import type { Instance } from "./instance.ts";

export type AddressRecord = Extract<ResourceRecord, { type: "A" | "AAAA" }>;

interface HostAddress {
  readonly seenMs: number;
  readonly untilMs: number;
}

/** Bound on a host's addresses: a real one has a handful. */
const maxAddresses = 16;
/** Bound on a host's instances: a real one has some dozens, and each is reported when an address changes. */
const maxResidents = 256;
/** Time that a goodbye or a flush waits, in ms, for other owners to answer (RFC 6762 sections 10.1, 10.2). */
export const goodbyeGraceMs = 1_000;
/**
 * Records younger than this survive a cache flush, in ms: a set may take several packets (RFC 6762 section
 * 10.2).
 */
export const flushGraceMs = 1_000;

/** Host of some instances, with its addresses. */
export class Host {
  readonly residents: Set<Instance> = new Set();
  /** Name of the host, with its case folded. */
  readonly key: string;
  readonly #addresses = new Map<string, HostAddress>();

  constructor(key: string) {
    this.key = key;
  }

  /** True if there is no room for another instance. */
  get isFull(): boolean {
    return this.residents.size >= maxResidents;
  }

  /** Addresses that are valid at `atMs`. */
  addresses(atMs: number): string[] {
    return [...this.#addresses].flatMap(([address, { untilMs }]) => (untilMs > atMs ? [address] : []));
  }

  /** End of the next address that is valid at `nowMs`, or null. */
  nextEndMs(nowMs: number): number | null {
    const endsMs = [...this.#addresses.values()].flatMap(({ untilMs }) => (untilMs > nowMs ? [untilMs] : []));
    return endsMs.length > 0 ? Math.min(...endsMs) : null;
  }

  /** Takes all address records of one packet. */
  take(records: readonly AddressRecord[], nowMs: number): void {
    const known = this.#addresses;
    const flushed = new Set(records.flatMap(({ flush, ttlS, type }) => (flush && ttlS > 0 ? [type] : [])));
    for (const [address, { seenMs }] of known) {
      const type = isIPv6(address) ? "AAAA" : "A";
      if (flushed.has(type) && nowMs - seenMs > flushGraceMs) this.#end(address, nowMs);
    }
    for (const { address, ttlS } of records) {
      if (ttlS === 0) this.#end(address, nowMs);
      else if (known.has(address) || known.size < maxAddresses) {
        known.set(address, { seenMs: nowMs, untilMs: nowMs + Math.max(ttlS * 1_000, goodbyeGraceMs) });
      }
    }
    for (const [address, { untilMs }] of known) if (untilMs <= nowMs) known.delete(address);
  }

  #end(address: string, nowMs: number): void {
    const known = this.#addresses.get(address);
    const untilMs = nowMs + goodbyeGraceMs;
    if (known && known.untilMs > untilMs) this.#addresses.set(address, { ...known, untilMs });
  }
}
