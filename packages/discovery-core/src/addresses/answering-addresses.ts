import { canonicalAddress, parseAddress } from "./address.ts";

/**
 * Bound on answering addresses, above those of any machine, and small enough for each look at its interfaces.
 */
export const maxAnsweringAddresses = 256;

/**
 * Checks the addresses at which a server answers; returns each once, in the system's spelling.
 *
 * @throws {RangeError} that names the value and what is allowed.
 */
export function readAnsweringAddresses(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map(readAddress))];
}

function readAddress(given: string): string {
  const address = parseAddress(given) ? canonicalAddress(given) : null;
  if (address === "0.0.0.0" || address === "::") {
    throw new RangeError(
      `addresses holds "${address}", which no host has; leave addresses out for every address`,
    );
  }
  if (address !== null) return address;
  throw new RangeError(`addresses holds ${JSON.stringify(given)}, which is no IPv4 or IPv6 address`);
}

/**
 * Addresses of a machine at which the server answers.
 *
 * @param own - Addresses by which others may reach the machine.
 * @param answering - Addresses of the announcement; all of `own` if absent.
 * @returns `answering` itself if it has none of `own`: a reader may be on this machine, or have a route
 * there.
 */
export function answeringAmong(
  own: readonly string[],
  answering: readonly string[] | undefined,
): readonly string[] {
  if (answering === undefined) return own;
  const common = own.filter((address) => answering.includes(address));
  return common.length > 0 ? common : answering.filter((address) => !address.includes("%"));
}
