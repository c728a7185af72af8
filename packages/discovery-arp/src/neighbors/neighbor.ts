import { canonicalAddress, withoutZone } from "@lmserv/discovery-core/transport";
import { isHostAddress } from "@lmserv/discovery-network";
import { parseIPv4 } from "../ipv4.ts";

/** Entry of this machine's neighbor table that is not known to be dead. It does not prove life either. */
export interface Neighbor {
  /** IPv4, or IPv6 without its zone. */
  readonly address: string;
  /** Lower-case hexadecimal bytes, separated by colons: six, or 20 of InfiniBand. */
  readonly mac: string;
  /** Name of the link, or null if the reader cannot tell. */
  readonly link: string | null;
}

/** Unchecked row of a reader. */
export interface RawNeighbor {
  readonly address: string;
  readonly mac: string;
  readonly link: string | null;
}

/** Bound on the neighbors of both families: the default limit of Linux (`gc_thresh3`). */
export const maxNeighbors = 2_048;

/**
 * Neighbors of the rows that can be hosts, with canonical addresses and MACs, each address once per link.
 *
 * Group, broadcast and zero MACs are dropped, and addresses that no host can have.
 */
export function tidy(rows: Iterable<RawNeighbor>): Neighbor[] {
  const found = new Map<string, Neighbor>();
  for (const row of rows) {
    const address = readAddress(row.address);
    const mac = readMac(row.mac);
    if (address === null || mac === null) continue;
    const link = row.link || null;
    found.set(`${address}%${link}`, { address, mac, link });
    if (found.size >= maxNeighbors) break;
  }
  return [...found.values()];
}

function readAddress(text: string): string | null {
  const bare = withoutZone(text);
  return isHostAddress(bare) ? canonicalAddress(bare) : null;
}

/** Length of an InfiniBand address (RFC 4391 section 9.1.1). */
const maxMacBytes = 20;
/** Lengths of Ethernet, FireWire and InfiniBand addresses. */
const wholeLengths: ReadonlySet<number> = new Set([6, 8, maxMacBytes]);

/** macOS omits leading zeros; Windows writes hyphens and capitals. */
function readMac(text: string): string | null {
  const bytes = text.toLowerCase().split(/[:-]/);
  const isLong = bytes.length >= 6 && bytes.length <= maxMacBytes;
  if (!isLong || !bytes.every((byte) => /^[0-9a-f]{1,2}$/.test(byte))) return null;
  const mac = bytes.map((byte) => byte.padStart(2, "0")).join(":");
  const isGroup = bytes.length === 6 && Number.parseInt(mac.slice(0, 2), 16) % 2 === 1;
  return isGroup || /^[0:]*$/.test(mac) ? null : mac;
}

/** True if a MAC identifies one machine: /proc/net/arp truncates those of InfiniBand to a common prefix. */
export function isWhole(mac: string): boolean {
  return wholeLengths.has(mac.split(":").length);
}

/** Hosts with aliases and containers have a few addresses; more behind one MAC show a proxy. */
const maxAddressesPerMac = 16;

/** MACs that answer for too many IPv4 addresses to be hosts. */
export function proxiesAmong(neighbors: Iterable<Neighbor>): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { mac, address } of neighbors) {
    if (parseIPv4(address) !== null && isWhole(mac)) counts.set(mac, (counts.get(mac) ?? 0) + 1);
  }
  return new Set([...counts].flatMap(([mac, count]) => (count > maxAddressesPerMac ? [mac] : [])));
}
