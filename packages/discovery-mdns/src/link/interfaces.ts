import { isLinkLocal, withoutZone } from "@lmserv/discovery-core/transport";
import {
  type InterfaceAddress,
  type InterfaceKind,
  isInterface,
  isOnLink,
  type System,
} from "@lmserv/discovery-network";

export const families = ["IPv4", "IPv6"] as const;
export type Family = (typeof families)[number];

/** Network interface as multicast DNS sees it. */
export interface NetworkInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** Interface index, which changes when the interface is made anew; 0 if the system gives none. */
  readonly index: number;
  readonly loopback: boolean;
  /** At least one. */
  readonly addresses: readonly InterfaceAddress[];
}

/** Interface in use, with the host's other addresses on its link. */
export interface LinkInterface extends NetworkInterface {
  /** Addresses of other interfaces that share the link, judged by their IPv4 subnets. */
  readonly siblings: readonly InterfaceAddress[];
}

/** Interfaces with an address to send from; the loopback interface has no IPv6 multicast. */
export function listInterfaces({ interfaces }: System): NetworkInterface[] {
  return interfaces.flatMap(({ name, kind, index, addresses }) => {
    const loopback = kind === "loopback";
    const usable = addresses.filter(({ family }) => !(loopback && family === "IPv6"));
    return usable.length === 0 ? [] : [{ name, kind, index, loopback, addresses: usable }];
  });
}

/** Interfaces to use, and those left out, each with the reason. */
export interface InterfaceChoice {
  readonly used: NetworkInterface[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Chooses the `wanted` interfaces by name or address; by default all but those of this machine's own guests.
 *
 * Loopback is used only when there is no other, since it reaches no further host.
 */
export function chooseInterfaces(
  all: readonly NetworkInterface[],
  wanted: readonly string[] | undefined,
): InterfaceChoice {
  const leadsOut = all.some(({ kind }) => kind === "lan");
  const reasonAgainst = (on: NetworkInterface): string | null => {
    if (wanted) return wanted.some((one) => isNamed(one, on)) ? null : "it was not named";
    if (on.kind !== "lan" && !on.loopback)
      return "it leads only to this machine's own containers, guests or tunnels";
    return on.loopback && leadsOut ? "it leads only to this machine itself" : null;
  };
  const choices = all.map((on) => ({ on, reason: reasonAgainst(on) }));
  return {
    used: choices.flatMap(({ on, reason }) => (reason === null ? [on] : [])),
    leftOut: choices.flatMap(({ on, reason }) => (reason === null ? [] : [{ name: on.name, reason }])),
  };
}

export function withSiblings(all: readonly NetworkInterface[]): LinkInterface[] {
  return all.map((on) => {
    const siblings = all.filter((other) => other !== on && shareSubnet(on, other));
    return { ...on, siblings: siblings.flatMap(({ addresses }) => addresses) };
  });
}

function shareSubnet(on: NetworkInterface, other: NetworkInterface): boolean {
  return on.addresses.filter(showsLink).some((own) => other.addresses.some((its) => isSameSubnet(own, its)));
}

/** The subnet of an IPv6 or link-local address says nothing about the link. */
function showsLink({ address, family }: InterfaceAddress): boolean {
  return family === "IPv4" && !isLinkLocal(address);
}

function isSameSubnet(own: InterfaceAddress, other: InterfaceAddress): boolean {
  return own.prefixLength === other.prefixLength && isOnLink(other.address, { addresses: [own] });
}

/** The loopback interface also goes by its IPv6 address, which sends nothing. */
function isNamed(word: string, on: NetworkInterface): boolean {
  return isInterface(word, on) || (on.loopback && word === "::1");
}

export function addressesOf({ addresses }: NetworkInterface, family: Family): string[] {
  return addresses.flatMap((own) => (own.family === family ? [own.address] : []));
}

export function familiesOf(on: NetworkInterface): Family[] {
  return families.filter((family) => on.addresses.some((own) => own.family === family));
}

/** True if an address, with or without its zone, is this machine's own on the interface's link. */
export function isOwn(address: string, { addresses, siblings }: LinkInterface): boolean {
  const bare = withoutZone(address);
  return [...addresses, ...siblings].some((own) => own.address === bare);
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}
