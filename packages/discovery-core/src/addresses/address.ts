import type { Reach, SeenAddress } from "../contract/node.ts";

/** IPv4 or IPv6 address by value. */
export interface ParsedAddress {
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
  /** Zone of an IPv6 address (RFC 4007 section 11), or null. */
  readonly zone: string | null;
}

const reachOrder: readonly Reach[] = ["source", "on-link", "routed", "doubtful", "link-local", "loopback"];
const decimalByte = /^(0|[1-9]\d{0,2})$/;
const hexGroup = /^[0-9a-f]{1,4}$/i;
const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const groupCount = 8;

/**
 * Parses an address; null if it is invalid.
 *
 * An IPv4-mapped address (`::ffff:192.0.2.7`) leads to the IPv4 address, and is parsed as that one.
 *
 * @see RFC 4291 section 2.2, RFC 6943 section 3.1.1: four decimal bytes without leading zeros
 */
export function parseAddress(text: string): ParsedAddress | null {
  const known = latest.get(text);
  if (known !== undefined) return known;
  const address = readAddress(text);
  if (latest.size >= maxLatest) latest.clear();
  latest.set(text, address);
  return address;
}

/**
 * Bound on remembered addresses: those of a few nodes, each of which is parsed several times in a row and in
 * sorting.
 */
const maxLatest = 64;
const latest = new Map<string, ParsedAddress | null>();

function readAddress(text: string): ParsedAddress | null {
  if (!isIPv6(text)) return withZone(readIPv4(text), null);
  const [bare = "", zone = null, ...rest] = text.split("%");
  if (rest.length > 0 || zone === "") return null;
  const bytes = readIPv6(bare);
  if (!bytes || mappedPrefix.some((byte, index) => bytes[index] !== byte)) return withZone(bytes, zone);
  return zone === null ? withZone(bytes.slice(mappedPrefix.length), null) : null;
}

/** Canonical spelling of an address (RFC 5952); other text is returned unchanged. */
export function canonicalAddress(text: string): string {
  const address = parseAddress(text);
  if (!address) return text;
  const { bytes, zone } = address;
  if (bytes.length === 4) return bytes.join(".");
  return zone === null ? formatIPv6(bytes) : `${formatIPv6(bytes)}%${zone}`;
}

/** True for IPv6; addresses here are IPv4 or IPv6 and nothing else. */
export function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** Address without its zone (RFC 4007 section 11). */
export function withoutZone(address: string): string {
  const end = address.indexOf("%");
  return end < 0 ? address : address.slice(0, end);
}

/** True if only this machine answers on the address (127.0.0.0/8, ::1), in any spelling. */
export function isLoopback(address: string): boolean {
  const bytes = parseAddress(address)?.bytes ?? [];
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes.length > 0 && bytes.every((byte, index) => byte === Number(index === 15));
}

/** Start of an address that may be link-local; only such addresses are parsed to tell. */
const linkLocalStart = /^(169\.254\.|fe[89ab]|[0:])/i;

/** True if the address is valid on one link only (169.254.0.0/16, fe80::/10), in any spelling. */
export function isLinkLocal(address: string): boolean {
  if (!linkLocalStart.test(address)) return false;
  const [first = 0, second = 0, ...rest] = parseAddress(address)?.bytes ?? [];
  return rest.length === 2 ? first === 169 && second === 254 : first === 0xfe && second >> 6 === 0b10;
}

/** Orders by reach, then IPv4 before IPv6; link-local addresses follow routed ones. */
export function compareReach(a: SeenAddress, b: SeenAddress): number {
  return rankOf(a) - rankOf(b) || Number(isIPv6(a.address)) - Number(isIPv6(b.address));
}

function rankOf({ address, reach }: SeenAddress): number {
  return reachOrder.indexOf(isLinkLocal(address) ? "link-local" : reach);
}

/** `host:port`, with the brackets that IPv6 needs. */
export function formatEndpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function withZone(bytes: readonly number[] | null, zone: string | null): ParsedAddress | null {
  return bytes && { bytes, zone };
}

function readIPv4(text: string): readonly number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => decimalByte.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function readIPv6(text: string): readonly number[] | null {
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return null;
  // An IPv4 address may stand in for the last two groups only.
  const left = readGroups(head, tail === undefined);
  const right = tail === undefined ? [] : readGroups(tail, true);
  if (!left || !right) return null;
  const missing = 2 * groupCount - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return [...left, ...Array<number>(missing).fill(0), ...right];
}

function readGroups(text: string, mayEndInIPv4: boolean): readonly number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  const last = groups.at(-1) ?? "";
  const ipv4 = mayEndInIPv4 && last.includes(".") ? readIPv4(last) : null;
  const plain = ipv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => hexGroup.test(group))) return null;
  const values = plain.map((group) => Number.parseInt(group, 16));
  return [...values.flatMap((value) => [value >> 8, value & 0xff]), ...(ipv4 ?? [])];
}

function formatIPv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: groupCount }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

/** The longest run of zero groups, the first of those that are equally long (RFC 5952 section 4.2). */
function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== "0") start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
