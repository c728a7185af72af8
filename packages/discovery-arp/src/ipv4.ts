import { isIPv6, parseAddress } from "@lmserv/discovery-core/transport";

/** Range of IPv4 addresses with a common prefix. */
export interface Subnet {
  /** First address as a number. */
  readonly base: number;
  /** Prefix length in bits, 0..32. */
  readonly prefixLength: number;
}

/** Parses an address to a number; null if it is invalid. */
export function parseIPv4(text: string): number | null {
  const bytes = isIPv6(text) ? undefined : parseAddress(text)?.bytes;
  return bytes?.reduce((value, byte) => value * 256 + byte, 0) ?? null;
}

export function formatIPv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Parses `10.1.2.3/8` or a single address; the bits after the prefix are dropped. Null if it is neither. */
export function parseSubnet(text: string): Subnet | null {
  const [address = "", length = "32", ...rest] = text.split("/");
  const value = parseIPv4(address);
  if (value === null || rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) return null;
  return subnetOf(value, Number(length));
}

export function subnetOf(address: number, prefixLength: number): Subnet {
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(address / size) * size, prefixLength };
}

export function formatSubnet({ base, prefixLength }: Subnet): string {
  return `${formatIPv4(base)}/${prefixLength}`;
}

/** Count of its addresses. */
export function sizeOf({ prefixLength }: Subnet): number {
  return 2 ** (32 - prefixLength);
}

export function contains({ base, prefixLength }: Subnet, address: number): boolean {
  return subnetOf(address, prefixLength).base === base;
}

/** True if `inner` lies in `outer`. */
export function covers(outer: Subnet, inner: Subnet): boolean {
  return inner.prefixLength >= outer.prefixLength && contains(outer, inner.base);
}

export function isIn(address: number, ranges: readonly Subnet[]): boolean {
  return ranges.some((range) => contains(range, address));
}

/** Addresses for hosts: without the first and the last in all but the smallest subnets. */
export function* hostsOf(subnet: Subnet): Generator<number> {
  const size = sizeOf(subnet);
  const margin = size > 2 ? 1 : 0;
  for (let offset = margin; offset < size - margin; offset += 1) yield subnet.base + offset;
}
