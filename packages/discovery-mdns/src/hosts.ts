import { type Name, nameKey } from "./wire/name.ts";
import type { ResourceRecord } from "./wire/record.ts";

interface HostAddress {
  readonly seenMs: number;
  readonly untilMs: number;
}

/** A host has a handful; more is a flood. */
const maxAddressesPerHost = 16;
/** Records this young survive a cache flush: the set may come in several packets (RFC 6762 section 10.2). */
const flushAgeMs = 1_000;

type AddressRecord = Extract<ResourceRecord, { type: "A" | "AAAA" }>;

/** The addresses of the hosts that known instances are on; bounded by the number of those. */
export class Hosts {
  readonly #hosts = new Map<string, Map<string, HostAddress>>();

  addressesOf(host: Name, nowMs: number): string[] {
    const known = [...(this.#hosts.get(nameKey(host)) ?? [])];
    return known.filter(([, { untilMs }]) => untilMs > nowMs).map(([address]) => address);
  }

  /** Whether an address will still be known at `atMs`. */
  knowsUntil(host: Name, atMs: number): boolean {
    return this.addressesOf(host, atMs).length > 0;
  }

  take(host: Name, records: readonly AddressRecord[], nowMs: number): void {
    const key = nameKey(host);
    const addresses = this.#hosts.get(key) ?? new Map<string, HostAddress>();
    if (records.some((record) => record.flush)) {
      for (const [address, { seenMs }] of addresses) {
        if (nowMs - seenMs > flushAgeMs) addresses.delete(address);
      }
    }
    for (const { address, ttlS } of records) {
      if (!addresses.has(address) && addresses.size >= maxAddressesPerHost) continue;
      addresses.set(address, { seenMs: nowMs, untilMs: nowMs + Math.max(ttlS, 1) * 1_000 });
    }
    this.#hosts.set(key, addresses);
  }

  /** Forgets every host but these. */
  retain(hosts: Iterable<Name>): void {
    const wanted = new Set([...hosts].map(nameKey));
    for (const key of this.#hosts.keys()) {
      if (!wanted.has(key)) this.#hosts.delete(key);
    }
  }
}
