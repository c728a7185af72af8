import { type Name, nameKey } from "../dns/name.ts";
import type { ResourceRecord } from "../dns/record.ts";
import { familyOf } from "../link/interfaces.ts";
import { flushGraceMs, goodbyeGraceMs } from "./schedule.ts";

/** A host has a handful; more is a flood. */
const maxAddressesPerHost = 16;
export type AddressRecord = Extract<ResourceRecord, { type: "A" | "AAAA" }>;

interface HostAddress {
  readonly seenMs: number;
  readonly untilMs: number;
}

interface Host<Resident> {
  readonly addresses: Map<string, HostAddress>;
  readonly residents: Set<Resident>;
}

/** The hosts that somebody of interest lives on, and nobody else's: bounded by the number of residents. */
export class Hosts<Resident> {
  readonly #hosts = new Map<string, Host<Resident>>();

  /** Notes who lives where; a host that the last resident left is forgotten. */
  move(resident: Resident, from: Name | null, to: Name | null): void {
    if (from !== null && to !== null && nameKey(from) === nameKey(to)) return;
    if (to !== null) {
      const host = this.#hosts.get(nameKey(to)) ?? { addresses: new Map(), residents: new Set() };
      host.residents.add(resident);
      this.#hosts.set(nameKey(to), host);
    }
    if (from === null) return;
    const left = this.#hosts.get(nameKey(from));
    left?.residents.delete(resident);
    if (left?.residents.size === 0) this.#hosts.delete(nameKey(from));
  }

  residentsOf(host: Name): Iterable<Resident> {
    return this.#hosts.get(nameKey(host))?.residents ?? [];
  }

  addressesOf(host: Name, nowMs: number): string[] {
    const known = [...(this.#hosts.get(nameKey(host))?.addresses ?? [])];
    return known.filter(([, { untilMs }]) => untilMs > nowMs).map(([address]) => address);
  }

  /** When the next address that is known at `nowMs` ends, or null. */
  nextEndMs(host: Name, nowMs: number): number | null {
    const known = [...(this.#hosts.get(nameKey(host))?.addresses.values() ?? [])];
    const endsMs = known.flatMap(({ untilMs }) => (untilMs > nowMs ? [untilMs] : []));
    return endsMs.length > 0 ? Math.min(...endsMs) : null;
  }

  /** Whether an address will still be known at `atMs`. */
  knowsUntil(host: Name, atMs: number): boolean {
    return this.addressesOf(host, atMs).length > 0;
  }

  /** Takes all the addresses of one host that came in one packet. */
  take(name: Name, records: readonly AddressRecord[], nowMs: number): void {
    const addresses = this.#hosts.get(nameKey(name))?.addresses;
    if (!addresses) return;
    const flushed = new Set(records.flatMap(({ flush, ttlS, type }) => (flush && ttlS > 0 ? [type] : [])));
    for (const [address, known] of addresses) {
      if (flushed.has(typeOf(address)) && nowMs - known.seenMs > flushGraceMs) {
        end(addresses, address, nowMs);
      }
    }
    for (const { address, ttlS } of records) {
      if (ttlS === 0) end(addresses, address, nowMs);
      else if (addresses.has(address) || addresses.size < maxAddressesPerHost) {
        addresses.set(address, { seenMs: nowMs, untilMs: nowMs + Math.max(ttlS * 1_000, goodbyeGraceMs) });
      }
    }
    for (const [address, { untilMs }] of addresses) if (untilMs <= nowMs) addresses.delete(address);
  }
}

/** What is flushed or taken back lives on for a moment (RFC 6762 sections 10.1, 10.2). */
function end(addresses: Map<string, HostAddress>, address: string, nowMs: number): void {
  const known = addresses.get(address);
  if (known) addresses.set(address, { ...known, untilMs: Math.min(known.untilMs, nowMs + goodbyeGraceMs) });
}

function typeOf(address: string): AddressRecord["type"] {
  return familyOf(address) === "IPv6" ? "AAAA" : "A";
}
