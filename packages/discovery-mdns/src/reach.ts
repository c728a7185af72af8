import { compareReach, isLinkLocal, isLoopback, type SeenAddress } from "@lmserv/discovery-core";
import { families, familyOf, isOnLink, type NetworkInterface } from "./interfaces.ts";

/**
 * The addresses of a node, most likely to answer first.
 *
 * @param announced - What its A and AAAA records say.
 * @param sources - Where packets that located it came from, the latest first.
 * @param on - The interface that heard it.
 * @param isTrusted - Whether the announcer is known to tell addresses of its own: then one that is not on this link
 *   was passed on by a reflector, which must not stand in for it.
 */
export function rankAddresses(
  announced: readonly string[],
  sources: readonly string[],
  on: NetworkInterface,
  isTrusted = false,
): readonly SeenAddress[] {
  const seen = announced.flatMap((address) => see(address, sources, on));
  const isNear = seen.some(
    ({ address, reach }) => !isLinkLocal(address) && (reach === "source" || reach === "on-link"),
  );
  if (isNear || (seen.length > 0 && (on.loopback || isTrusted))) return seen.sort(compareReach);
  const latest = families.flatMap((family) => sources.find((address) => familyOf(address) === family) ?? []);
  const untold = latest.filter((source) => seen.every(({ address }) => address !== source));
  const repaired = untold.flatMap((address) => see(address, [], on)).map(asGuess);
  return [...repaired, ...seen].sort(compareReach);
}

/** Where a packet came from is near, but nobody said that the node is there. */
function asGuess(seen: SeenAddress): SeenAddress {
  return seen.reach === "routed" ? { ...seen, reach: "on-link" } : seen;
}

/** Another host's loopback address leads to ourselves and is left out; a link-local one needs its zone. */
function see(announced: string, sources: readonly string[], on: NetworkInterface): SeenAddress[] {
  if (isLoopback(announced)) return on.loopback ? [{ address: announced, reach: "loopback" }] : [];
  const isScoped = isLinkLocal(announced) && announced.includes(":");
  const address = isScoped && !announced.includes("%") ? `${announced}%${on.name}` : announced;
  // Without a zone, many hosts have the same: it may be another's that the packet came from.
  if (isLinkLocal(address) && !(isScoped && sources.includes(address)))
    return [{ address, reach: "link-local" }];
  if (on.loopback) return [{ address, reach: "routed" }];
  if (sources.includes(address)) return [{ address, reach: "source" }];
  return [{ address, reach: isOnLink(address, on) ? "on-link" : "routed" }];
}
