import type { SeenAddress } from "@lmserv/discovery-core";
import {
  canonicalAddress,
  isIPv6,
  isLinkLocal,
  isLoopback,
  withoutZone,
} from "@lmserv/discovery-core/transport";
import { isHostAddress } from "./host-address.ts";
import { isNobodysNear, isOwnAddress, kindOfSubnet, type System } from "./system.ts";

/** From where the addresses of a node are looked at, and what is known of it there. */
export interface Vantage {
  /** Where the packet or connection came from that told of the node, its zone included; null when it was passed on. */
  readonly from: string | null;
  /**
   * Whether the node is known to run on this machine: its packet came from an own address, or what it signed carries
   * this machine's mark. Only then is an address of this machine one of the node's.
   */
  readonly local: boolean;
  readonly system: System;
}

interface Ranked extends SeenAddress {
  /** Whether from here it leads to this machine's own guests, who are others than the announcer's. */
  readonly amongGuests?: boolean;
}

/**
 * How the addresses that a node announces are expected to answer from here; those that lead elsewhere are left out.
 *
 * An address of this machine, loopback included, is the node's only where it is local (RFC 1122 section 3.2.1.3). An
 * address among this machine's own guests is left out where there is any other.
 *
 * @returns none where nothing leads to the node.
 */
export function rankAddresses(announced: readonly string[], vantage: Vantage): SeenAddress[] {
  const addresses = [...new Set(announced.map(canonicalAddress))];
  const ranked = addresses.flatMap((address) => see(address, vantage));
  const all = [...ranked, ...repair(ranked, vantage)];
  const elsewhere = all.filter(({ amongGuests }) => !amongGuests);
  return (elsewhere.length > 0 ? elsewhere : all).map(({ address, reach }) => ({ address, reach }));
}

function see(address: string, { from, local, system }: Vantage): Ranked[] {
  if (isLoopback(address)) return local ? [{ address, reach: "loopback" }] : [];
  if (!(local && isOwnAddress(address, system)) && !isAnothers(address, system)) return [];
  const source = from === null ? null : canonicalAddress(from);
  if (source !== null && (address === source || isSameLinkLocal(address, source))) {
    return [{ address: source, reach: "source" }];
  }
  if (isLinkLocal(address)) return scoped(address, source, system);
  const near = kindOfSubnet(address, system);
  if (near === "guests" && !local) return [{ address, reach: "routed", amongGuests: true }];
  return [{ address, reach: near === null ? "routed" : "on-link" }];
}

/** An IPv6 link-local address means something with a zone only: that of the packet, or of the only LAN there is. */
function scoped(address: string, source: string | null, { interfaces }: System): Ranked[] {
  if (!isIPv6(address) || address.includes("%")) return [{ address, reach: "link-local" }];
  const lans = interfaces.filter(
    ({ kind, addresses }) => kind === "lan" && addresses.some((own) => own.family === "IPv6"),
  );
  const zone = source?.split("%")[1] ?? (lans.length === 1 ? lans[0]?.name : undefined);
  return zone === undefined ? [] : [{ address: `${address}%${zone}`, reach: "link-local" }];
}

/** Where the packet came from, unless what is announced is near: behind a translated address nobody knows its own. */
function repair(ranked: readonly Ranked[], { from, system }: Vantage): Ranked[] {
  if (from === null || !isAnothers(from, system)) return [];
  const isNear = ranked.some(({ reach }) => reach === "source" || reach === "on-link");
  const address = canonicalAddress(from);
  if (isLinkLocal(address)) return ranked.length > 0 ? [] : [{ address, reach: "link-local" }];
  return isNear ? [] : [{ address, reach: "on-link" }];
}

/** Whether a host other than this one can have the address, as it looks from here. */
function isAnothers(address: string, system: System): boolean {
  return isHostAddress(address) && !isNobodysNear(address, system) && !isOwnAddress(address, system);
}

/** `fe80::1` is meant on the link that the packet from `fe80::1%eth0` came over. */
function isSameLinkLocal(address: string, source: string): boolean {
  return isLinkLocal(address) && !address.includes("%") && withoutZone(source) === address;
}
