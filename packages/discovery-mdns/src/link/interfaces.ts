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

/** A network interface as far as multicast DNS is concerned. */
export interface NetworkInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** The system's number of it, which changes when it is made anew; 0 where the system tells none. */
  readonly index: number;
  readonly loopback: boolean;
  /** At least one. */
  readonly addresses: readonly InterfaceAddress[];
}

/** An interface in use, and what else of this host is on its link. */
export interface LinkInterface extends NetworkInterface {
  /** The addresses of other interfaces that are, by their IPv4 subnets, on the same link. */
  readonly siblings: readonly InterfaceAddress[];
}

/** Every interface that has an address to speak from; there is no IPv6 multicast on the loopback interface. */
export function listInterfaces({ interfaces }: System): NetworkInterface[] {
  return interfaces.flatMap(({ name, kind, index, addresses }) => {
    const loopback = kind === "loopback";
    const usable = addresses.filter(({ family }) => !(loopback && family === "IPv6"));
    return usable.length === 0 ? [] : [{ name, kind, index, loopback, addresses: usable }];
  });
}

/** The interfaces to use, and those that are left out, each with the reason. */
export interface InterfaceChoice {
  readonly used: NetworkInterface[];
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Chooses the interfaces to use: those `wanted` by name or address, or else all but those that lead only to this
 * machine's own guests. Loopback leads nowhere that the others do not, and is used when there is no other.
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

/** Of IPv6 and link-local addresses, the subnet says nothing of the link. */
function showsLink({ address, family }: InterfaceAddress): boolean {
  return family === "IPv4" && !isLinkLocal(address);
}

function isSameSubnet(own: InterfaceAddress, other: InterfaceAddress): boolean {
  return own.prefixLength === other.prefixLength && isOnLink(other.address, { addresses: [own] });
}

/** The loopback interface is named by its IPv6 address too, from which nothing is said. */
function isNamed(word: string, on: NetworkInterface): boolean {
  return isInterface(word, on) || (on.loopback && word === "::1");
}

export function addressesOf({ addresses }: NetworkInterface, family: Family): string[] {
  return addresses.flatMap((own) => (own.family === family ? [own.address] : []));
}

/** The families that the interface has addresses of. */
export function familiesOf(on: NetworkInterface): Family[] {
  return families.filter((family) => on.addresses.some((own) => own.family === family));
}

/** Whether an address, with its zone or without, is this machine's own on the interface's link. */
export function isOwn(address: string, { addresses, siblings }: LinkInterface): boolean {
  const bare = withoutZone(address);
  return [...addresses, ...siblings].some((own) => own.address === bare);
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}
