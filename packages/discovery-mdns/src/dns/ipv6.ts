import { readIPv4 } from "./ipv4.ts";

const groupCount = 8;
const groupPattern = /^[0-9a-f]{1,4}$/i;

/** The address in the form of RFC 5952, which is also how URLs spell it. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: groupCount }, (_, index) => uint16(bytes, 2 * index));
  const zeros = longestZeros(groups);
  const text = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(":");
  if (zeros.length < 2) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`;
}

/**
 * The 16 bytes of an address; a `%zone` means nothing to others and is left out.
 *
 * Not by `net.isIPv6`, whose pattern takes Node 5 ms to compile.
 *
 * @throws {RangeError} for text that is no IPv6 address.
 */
export function parseIPv6(address: string): Uint8Array {
  const [text = ""] = address.split("%");
  const groups = groupsOf(text);
  if (!groups) throw new RangeError(`${JSON.stringify(address)} must be an IPv6 address`);
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** All groups of an address, or null for text that is none; `::` stands for one group of zeros or more. */
function groupsOf(text: string): readonly number[] | null {
  const halves = text.split("::");
  const [left = [], right] = halves.map((half, index) => readGroups(half, index === halves.length - 1));
  const missing = groupCount - left.length - (right?.length ?? 0);
  if (halves.length > 2 || (right ? missing < 1 : missing !== 0)) return null;
  const groups = [...left, ...Array<number>(missing).fill(0), ...(right ?? [])];
  return groups.some(Number.isNaN) ? null : groups;
}

/** NaN for what is no group; the end of an address may be written as IPv4. */
function readGroups(text: string, isEnd: boolean): readonly number[] {
  const groups = text === "" ? [] : text.split(":");
  const tail = isEnd ? readIPv4(groups.at(-1) ?? "") : null;
  if (!tail) return groups.map(readGroup);
  return [...groups.slice(0, -1).map(readGroup), uint16(tail, 0), uint16(tail, 2)];
}

function readGroup(text: string): number {
  return groupPattern.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}

/** The longest run of zeros, the first of several; shorter than two is none (RFC 5952 section 4.2). */
function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
