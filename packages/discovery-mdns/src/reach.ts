import { compareReach, isLinkLocal, isLoopback, type SeenAddress } from "@lmserv/discovery-core";
import { isOnLink, type NetworkInterface } from "./interfaces.ts";

/**
 * The addresses of a node, most likely to answer first.
 *
 * @param announced - What its A records say.
 * @param source - Where the packet that located it came from.
 * @param on - The interface that heard it.
 */
export function rankAddresses(
  announced: readonly string[],
  source: string,
  on: NetworkInterface,
): readonly SeenAddress[] {
  const seen = announced.flatMap((address) => see(address, source, on));
  const onLink = seen.some(({ reach }) => reach === "source" || reach === "on-link");
  if (onLink || (on.loopback && seen.length > 0)) return seen.sort(compareReach);
  const repaired: SeenAddress = { address: source, reach: isLoopback(source) ? "loopback" : "source" };
  return [repaired, ...seen.filter(({ address }) => address !== source)].sort(compareReach);
}

/** Another host's loopback address leads to ourselves and is left out. */
function see(address: string, source: string, on: NetworkInterface): SeenAddress[] {
  if (isLoopback(address)) return on.loopback ? [{ address, reach: "loopback" }] : [];
  if (on.loopback) return [{ address, reach: "routed" }];
  if (isOnLink(address, on)) return [{ address, reach: address === source ? "source" : "on-link" }];
  return [{ address, reach: isLinkLocal(address) ? "link-local" : "routed" }];
}
