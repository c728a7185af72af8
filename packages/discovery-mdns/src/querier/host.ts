import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { ResourceRecord } from "../dns/record.ts";
import type { Instance } from "./instance.ts";

export type AddressRecord = Extract<ResourceRecord, { type: "A" | "AAAA" }>;

interface HostAddress {
  readonly seenMs: number;
  readonly untilMs: number;
}

/** A host has a handful; more is a flood. */
const maxAddresses = 16;
/** A gateway speaks for some hundred; each is told again when an address of its host changes. */
const maxResidents = 1_000;
/** What is taken back or flushed stays for so long, in ms, in case another owner speaks up (RFC 6762 sections 10.1, 10.2). */
export const goodbyeGraceMs = 1_000;
/** Records this young survive a cache flush, for a set may come in several packets (RFC 6762 section 10.2). */
export const flushGraceMs = 1_000;

/** A host that instances reside on, and its addresses. */
export class Host {
  readonly residents: Set<Instance> = new Set();
  /** Its name, in the case that tells names apart. */
  readonly key: string;
  readonly #addresses = new Map<string, HostAddress>();

  constructor(key: string) {
    this.key = key;
  }

  /** Whether there is room for one more instance. */
  get isFull(): boolean {
    return this.residents.size >= maxResidents;
  }

  /** Those that are known at `atMs`. */
  addresses(atMs: number): string[] {
    return [...this.#addresses].flatMap(([address, { untilMs }]) => (untilMs > atMs ? [address] : []));
  }

  /** When the next address that is known at `nowMs` ends, or null. */
  nextEndMs(nowMs: number): number | null {
    const endsMs = [...this.#addresses.values()].flatMap(({ untilMs }) => (untilMs > nowMs ? [untilMs] : []));
    return endsMs.length > 0 ? Math.min(...endsMs) : null;
  }

  /** Takes all its addresses that came in one packet. */
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
