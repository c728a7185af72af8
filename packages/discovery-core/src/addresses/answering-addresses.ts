import { canonicalAddress, parseAddress } from "./address.ts";

/** More than any machine has, and few enough to go through at each look at its interfaces. */
export const maxAnsweringAddresses = 256;

/**
 * Checks the addresses at which a server is said to answer; gives each once, written as the system writes it.
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
 * Those of a machine's addresses at which the server answers.
 *
 * @param own - The addresses that others may know the machine by.
 * @param answering - Of the announcement; without it, all of `own`.
 * @returns `answering` itself when it has none of `own`: whoever reads it may be on this machine, or have a way there.
 */
export function answeringAmong(
  own: readonly string[],
  answering: readonly string[] | undefined,
): readonly string[] {
  if (answering === undefined) return own;
  const common = own.filter((address) => answering.includes(address));
  return common.length > 0 ? common : answering.filter((address) => !address.includes("%"));
}
