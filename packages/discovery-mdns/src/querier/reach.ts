import type { Reach, SeenAddress } from "@lmserv/discovery-core";
import {
  canonicalAddress,
  compareReach,
  isIPv6,
  isLinkLocal,
  isLoopback,
} from "@lmserv/discovery-core/transport";
import {
  isDefaultBridge,
  isHostAddress,
  isNobodysNear,
  isOnLink,
  isOwnAddress,
  kindOfSubnet,
  type System,
} from "@lmserv/discovery-network";
import { families, familyOf, type NetworkInterface } from "../link/interfaces.ts";

/** Position from which a node's addresses are judged. */
export interface Vantage {
  /** Interface that heard of the node. */
  readonly on: NetworkInterface;
  /** Sources of the packets that located it, the latest first. */
  readonly sources: readonly string[];
  /** True if the announcer is known to send its own addresses, without those of loopback or a bridge. */
  readonly isTrusted: boolean;
  readonly system: System;
}

/**
 * Ranks the addresses of a node by their likelihood to answer.
 *
 * The source of its packet replaces addresses that are impossible here. Otherwise it comes last, since it may
 * be a router that passed the packet on.
 *
 * @param announced - Values of its A and AAAA records.
 */
export function rankAddresses(announced: readonly string[], vantage: Vantage): readonly SeenAddress[] {
  const { on, isTrusted, sources, system } = vantage;
  const isLocal = on.loopback || sources.some((source) => isOwnAddress(source, system));
  const view: View = { on, sources, system, isLocal };
  const addresses = [...new Set(announced.map(canonicalAddress))].flatMap((one) => see(one, view));
  const seen = addresses.filter(({ address }) => !isAmongGuests(address, view));
  const isNear = seen.some(({ address, reach }) => isClose(reach) && !isLinkLocal(address));
  if (isNear || (seen.length > 0 && (on.loopback || isTrusted))) return seen.sort(compareReach);
  const guesses = guess(seen, view);
  const all = [...guesses, ...seen];
  return (all.length > 0 ? all : addresses).sort(compareReach);
}

interface View extends Pick<Vantage, "on" | "sources" | "system"> {
  /** True if the node is on this machine, because a packet of it came from here. */
  readonly isLocal: boolean;
}

/** Source of the latest packet of each family: on the link, but announced by no record. */
function guess(seen: readonly SeenAddress[], view: View): SeenAddress[] {
  const { sources } = view;
  const latest = families.flatMap((family) => sources.find((source) => familyOf(source) === family) ?? []);
  const untold = latest.filter((source) => seen.every(({ address }) => address !== source));
  const isMeant = seen.some(({ reach }) => reach === "routed");
  const found = untold.flatMap((source) => see(source, { ...view, sources: [] }));
  return found.map(({ address, reach }) => ({ address, reach: isMeant ? "doubtful" : asGuess(reach) }));
}

function asGuess(reach: Reach): Reach {
  return reach === "routed" || reach === "doubtful" ? "on-link" : reach;
}

/** Drops addresses that the node cannot have, and adds the zone to a link-local IPv6 address. */
function see(announced: string, view: View): SeenAddress[] {
  const { on } = view;
  if (isLoopback(announced)) return on.loopback ? [{ address: announced, reach: "loopback" }] : [];
  const isScoped = isLinkLocal(announced) && isIPv6(announced);
  const address = isScoped && !announced.includes("%") ? `${announced}%${on.name}` : announced;
  return canBeIts(address, view) ? [{ address, reach: reachOf(address, view) }] : [];
}

/** An address of ours in another host's record would lead to ourselves (RFC 1122 section 3.2.1.3). */
function canBeIts(address: string, { system, isLocal }: View): boolean {
  if (!isHostAddress(address) || isNobodysNear(address, system)) return false;
  return isLocal || !isOwnAddress(address, system);
}

function reachOf(address: string, { on, sources, system }: View): Reach {
  const isSource = sources.includes(address);
  // Many hosts may have this link-local address without its zone; the packet may come from another.
  if (isLinkLocal(address)) return isIPv6(address) && isSource && !on.loopback ? "source" : "link-local";
  if (on.loopback) return "routed";
  if (isSource) return "source";
  if (isOnLink(address, on) || kindOfSubnet(address, system) !== null) return "on-link";
  return isDefaultBridge(address) ? "doubtful" : "routed";
}

/** True if an address leads to this machine's own guests, which are not the announcer's. */
function isAmongGuests(address: string, { on, sources, system }: View): boolean {
  if (sources.includes(address) || isOnLink(address, on)) return false;
  return kindOfSubnet(address, system) === "guests" && !isOwnAddress(address, system);
}

function isClose(reach: Reach): boolean {
  return reach === "source" || reach === "on-link";
}
