import { isIPv6 } from "node:net";

/** The address in the form of RFC 5952, which is also how URLs spell it. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => uint16(bytes, 2 * index).toString(16));
  return canonical(groups.join(":"));
}

/**
 * The 16 bytes of an address; a `%zone` means nothing to others and is left out.
 *
 * @throws {RangeError} for text that is no IPv6 address.
 */
export function parseIPv6(address: string): Uint8Array {
  if (!isIPv6(address)) throw new RangeError(`${JSON.stringify(address)} must be an IPv6 address`);
  const [head = "", tail = ""] = canonical(address.replace(/%.*/s, "")).split("::");
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<number>(8 - left.length - right.length).fill(0);
  return Uint8Array.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}

function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
