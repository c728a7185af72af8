import { canonicalAddress, withoutZone } from "@lmserv/discovery-core/transport";
import { isHostAddress } from "@lmserv/discovery-network";
import { parseIPv4 } from "../ipv4.ts";

/** An entry of this machine's neighbour table that is not known to be dead. It is no proof of life either. */
export interface Neighbor {
  /** IPv4, or IPv6 without its zone. */
  readonly address: string;
  /** Pairs of hexadecimal digits in lower case, with colons between: six, 20 of InfiniBand. */
  readonly mac: string;
  /** The name of the link, or null where the reader cannot tell. */
  readonly link: string | null;
}

/** What a reader found, as text that is yet to be checked. */
export interface RawNeighbor {
  readonly address: string;
  readonly mac: string;
  readonly link: string | null;
}

/** As many as Linux keeps by default (`gc_thresh3`), for both families; more is a flood. */
export const maxNeighbors = 2_048;

/**
 * What of the rows can be a host: addresses and MACs brought into one form, each address on a link once.
 *
 * Group, broadcast and zero MACs, and addresses that no host has, are dropped.
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

/** Of InfiniBand (RFC 4391 section 9.1.1). */
const maxMacBytes = 20;
/** Ethernet, FireWire, InfiniBand. */
const wholeLengths: ReadonlySet<number> = new Set([6, 8, maxMacBytes]);

/** macOS leaves out leading zeros, Windows writes hyphens and capitals. */
function readMac(text: string): string | null {
  const bytes = text.toLowerCase().split(/[:-]/);
  const isLong = bytes.length >= 6 && bytes.length <= maxMacBytes;
  if (!isLong || !bytes.every((byte) => /^[0-9a-f]{1,2}$/.test(byte))) return null;
  const mac = bytes.map((byte) => byte.padStart(2, "0")).join(":");
  const isGroup = bytes.length === 6 && Number.parseInt(mac.slice(0, 2), 16) % 2 === 1;
  return isGroup || /^[0:]*$/.test(mac) ? null : mac;
}

/** Whether a MAC tells one machine from others: /proc/net/arp cuts those of InfiniBand to what many have. */
export function isWhole(mac: string): boolean {
  return wholeLengths.has(mac.split(":").length);
}

/** Hosts with aliases and containers have a few addresses; more behind one MAC is a proxy that answers for all. */
const maxAddressesPerMac = 16;

/** The MACs that answer for so many IPv4 addresses that they can be no hosts. */
export function proxiesAmong(neighbors: Iterable<Neighbor>): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { mac, address } of neighbors) {
    if (parseIPv4(address) !== null && isWhole(mac)) counts.set(mac, (counts.get(mac) ?? 0) + 1);
  }
  return new Set([...counts].flatMap(([mac, count]) => (count > maxAddressesPerMac ? [mac] : [])));
}
