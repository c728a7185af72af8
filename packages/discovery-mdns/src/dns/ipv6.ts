import { canonicalAddress, isIPv6, parseAddress, withoutZone } from "@lmserv/discovery-core/transport";

/** Prefix of an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The address in the form of RFC 5952, which is also how URLs spell it. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  const text = canonicalAddress(groups.join(":"));
  // A mapped address of a record stays an IPv6 address.
  return isIPv6(text) ? text : `::ffff:${groups.slice(6).join(":")}`;
}

/**
 * The 16 bytes of an address; a `%zone` is dropped, since it means nothing to other hosts.
 *
 * @throws {RangeError} for text that is no IPv6 address.
 */
export function parseIPv6(address: string): Uint8Array {
  const text = withoutZone(address);
  const bytes = isIPv6(text) ? parseAddress(text)?.bytes : undefined;
  if (!bytes) throw new RangeError(`${JSON.stringify(address)} must be an IPv6 address`);
  return Uint8Array.from(bytes.length === 4 ? [...mappedPrefix, ...bytes] : bytes);
}
