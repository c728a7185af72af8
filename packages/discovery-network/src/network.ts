import { parseAddress } from "@lmserv/discovery-core/transport";

/** Addresses of one family with a common prefix. */
export interface Network {
  /** 4 or 16 bytes, of which the first `prefixLength` bits count. */
  readonly bytes: readonly number[];
  /** Length in bits. */
  readonly prefixLength: number;
}

/**
 * Parses `10.0.0.0/8` or `fe80::/10`.
 *
 * @throws {RangeError} for anything else.
 */
export function network(cidr: string): Network {
  const [address = "", length = ""] = cidr.split("/");
  const bytes = parseAddress(address)?.bytes;
  const prefixLength = Number(length);
  if (!bytes || !/^\d+$/.test(length) || prefixLength > 8 * bytes.length) {
    throw new RangeError(`${JSON.stringify(cidr)} is no network such as 10.0.0.0/8 or fe80::/10`);
  }
  return { bytes, prefixLength };
}

/** True if an address, as bytes, has the prefix of the network. */
export function networkContains({ bytes, prefixLength }: Network, address: readonly number[]): boolean {
  if (bytes.length !== address.length) return false;
  const whole = prefixLength >> 3;
  for (let index = 0; index < whole; index += 1) if (bytes[index] !== address[index]) return false;
  const mask = (0xff00 >> (prefixLength & 7)) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}

/**
 * True if an IPv4 address, as bytes, is the network itself or its broadcast address (RFC 922 section 7).
 * Networks of one or two addresses have neither (RFC 3021).
 */
export function isNetworkOrBroadcast(on: Network, address: readonly number[]): boolean {
  if (address.length !== 4 || on.prefixLength > 30 || !networkContains(on, address)) return false;
  return [0, 0xff].some((fill) =>
    address.every((byte, index) => {
      const hostBits = 0xff >> Math.min(8, Math.max(0, on.prefixLength - 8 * index));
      return (byte & hostBits) === (fill & hostBits);
    }),
  );
}
