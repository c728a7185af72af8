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

/** From where the addresses of a node are looked at. */
export interface Vantage {
  /** The interface that heard of it. */
  readonly on: NetworkInterface;
  /** Where packets that located it came from, the latest first. */
  readonly sources: readonly string[];
  /** Whether the announcer is known to tell addresses of its own, and not those of a loopback interface or a bridge. */
  readonly isTrusted: boolean;
  readonly system: System;
}

/**
 * The addresses of a node, most likely to answer first.
 *
 * Where the packet came from stands in for what cannot be meant. Otherwise it may be a router that passed it on, and
 * comes after what is announced.
 *
 * @param announced - What its A and AAAA records say.
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
  /** Whether the node is on this machine, since a packet of it came from here. */
  readonly isLocal: boolean;
}

/** Where the latest packet of each family came from: near, but nobody said that the node is there. */
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

/** What the node cannot have is left out; a link-local IPv6 address needs its zone. */
function see(announced: string, view: View): SeenAddress[] {
  const { on } = view;
  if (isLoopback(announced)) return on.loopback ? [{ address: announced, reach: "loopback" }] : [];
  const isScoped = isLinkLocal(announced) && isIPv6(announced);
  const address = isScoped && !announced.includes("%") ? `${announced}%${on.name}` : announced;
  return canBeIts(address, view) ? [{ address, reach: reachOf(address, view) }] : [];
}

/** Another host's word for an address of ours leads to ourselves (RFC 1122 section 3.2.1.3). */
function canBeIts(address: string, { system, isLocal }: View): boolean {
  if (!isHostAddress(address) || isNobodysNear(address, system)) return false;
  return isLocal || !isOwnAddress(address, system);
}

function reachOf(address: string, { on, sources, system }: View): Reach {
  const isSource = sources.includes(address);
  // Without a zone, many hosts have the same: it may be another's that the packet came from.
  if (isLinkLocal(address)) return isIPv6(address) && isSource && !on.loopback ? "source" : "link-local";
  if (on.loopback) return "routed";
  if (isSource) return "source";
  if (isOnLink(address, on) || kindOfSubnet(address, system) !== null) return "on-link";
  return isDefaultBridge(address) ? "doubtful" : "routed";
}

/** Whether an address leads from here to this machine's own guests, who are others than the announcer's. */
function isAmongGuests(address: string, { on, sources, system }: View): boolean {
  if (sources.includes(address) || isOnLink(address, on)) return false;
  return kindOfSubnet(address, system) === "guests" && !isOwnAddress(address, system);
}

function isClose(reach: Reach): boolean {
  return reach === "source" || reach === "on-link";
}
