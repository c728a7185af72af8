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

/** Position from which a node's addresses are judged, with the known facts about the node. */
export interface Vantage {
  /** Source of the packet or connection that told of the node, with its zone; null if it was passed on. */
  readonly from: string | null;
  /**
   * True if the node is known to run on this machine.
   *
   * Its packet came from an own address, or its signed record carries this machine's mark. Only then do this
   * machine's addresses count as the node's.
   */
  readonly local: boolean;
  readonly system: System;
}

interface Ranked extends SeenAddress {
  /** True if it leads to this machine's own guests, which are not the announcer's. */
  readonly amongGuests?: boolean;
}

/**
 * Ranks a node's announced addresses by how they are expected to answer from here, without those that lead
 * elsewhere.
 *
 * An address of this machine, loopback included, is the node's only if the node is local (RFC 1122 section
 * 3.2.1.3). An address among this machine's own guests counts only if there is no other.
 *
 * @returns none if no address leads to the node.
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

/** An IPv6 link-local address needs a zone: that of the packet, or of the only LAN. */
function scoped(address: string, source: string | null, { interfaces }: System): Ranked[] {
  if (!isIPv6(address) || address.includes("%")) return [{ address, reach: "link-local" }];
  const lans = interfaces.filter(
    ({ kind, addresses }) => kind === "lan" && addresses.some((own) => own.family === "IPv6"),
  );
  const zone = source?.split("%")[1] ?? (lans.length === 1 ? lans[0]?.name : undefined);
  return zone === undefined ? [] : [{ address: `${address}%${zone}`, reach: "link-local" }];
}

/**
 * Source of the packet, unless an announced address is near: a node behind translation does not know its own.
 */
function repair(ranked: readonly Ranked[], { from, system }: Vantage): Ranked[] {
  if (from === null || !isAnothers(from, system)) return [];
  const isNear = ranked.some(({ reach }) => reach === "source" || reach === "on-link");
  const address = canonicalAddress(from);
  if (isLinkLocal(address)) return ranked.length > 0 ? [] : [{ address, reach: "link-local" }];
  return isNear ? [] : [{ address, reach: "on-link" }];
}

/** True if another host can have the address, seen from here. */
function isAnothers(address: string, system: System): boolean {
  return isHostAddress(address) && !isNobodysNear(address, system) && !isOwnAddress(address, system);
}

/** `fe80::1` belongs to the link of the packet from `fe80::1%eth0`. */
function isSameLinkLocal(address: string, source: string): boolean {
  return isLinkLocal(address) && !address.includes("%") && withoutZone(source) === address;
}
