import type { NetworkInterfaceInfo, NetworkInterfaceInfoIPv6 } from "node:os";
import { interfaceKind, isLinkLocal, type SystemInterfaces } from "@lmserv/discovery-core";

export const families = ["IPv4", "IPv6"] as const;
export type Family = (typeof families)[number];

/** One address of this host, with the subnet that it is in. */
export interface InterfaceAddress {
  /** Without a zone. */
  readonly address: string;
  readonly family: Family;
  /** In bits. */
  readonly prefixLength: number;
}

/** A network interface as far as multicast DNS is concerned. */
export interface NetworkInterface {
  readonly name: string;
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
export function listInterfaces(
  system: SystemInterfaces,
  indexOf: (name: string) => number,
): NetworkInterface[] {
  return Object.entries(system).flatMap(([name, infos = []]) => {
    const loopback = infos.some((info) => info.internal);
    const addresses = infos.flatMap((info) => (loopback && info.family === "IPv6" ? [] : [addressOf(info)]));
    // The loopback interface is never made anew.
    const index = infos.find(isScoped)?.scopeid ?? (loopback ? 0 : indexOf(name));
    return addresses.length === 0 ? [] : [{ name, index, loopback, addresses }];
  });
}

/** Whether an address has a zone, whose number is the interface's. */
function isScoped(info: NetworkInterfaceInfo): info is NetworkInterfaceInfoIPv6 {
  return info.family === "IPv6" && info.scopeid > 0;
}

function addressOf({ address, family, cidr }: NetworkInterfaceInfo): InterfaceAddress {
  return { address, family, prefixLength: Number(cidr?.split("/")[1] ?? (family === "IPv4" ? 32 : 128)) };
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
  const leadsOut = all.some(({ name, loopback }) => !loopback && interfaceKind(name) === "lan");
  const reasonAgainst = (on: NetworkInterface): string | null => {
    if (wanted) return wanted.some((one) => names(one, on)) ? null : "it was not named";
    if (interfaceKind(on.name) !== "lan")
      return "it leads only to this machine's own containers, guests or tunnels";
    return on.loopback && leadsOut ? "it leads only to this machine itself" : null;
  };
  const choices = all.map((on) => ({ on, reason: reasonAgainst(on) }));
  return {
    used: choices.flatMap(({ on, reason }) => (reason === null ? [on] : [])),
    leftOut: choices.flatMap(({ on, reason }) => (reason === null ? [] : [{ name: on.name, reason }])),
  };
}

/** Finds each interface's siblings among the others. */
export function withSiblings(all: readonly NetworkInterface[]): LinkInterface[] {
  return all.map((on) => {
    const siblings = all.filter((other) => other !== on && shareSubnet(on, other));
    return { ...on, siblings: siblings.flatMap(({ addresses }) => addresses) };
  });
}

function shareSubnet(on: NetworkInterface, other: NetworkInterface): boolean {
  const theirs = new Set(other.addresses.flatMap(subnetOf));
  return on.addresses.flatMap(subnetOf).some((subnet) => theirs.has(subnet));
}

/** Of IPv6 and link-local addresses, the subnet says nothing of the link. */
function subnetOf({ address, family, prefixLength }: InterfaceAddress): string[] {
  if (family === "IPv6" || isLinkLocal(address)) return [];
  return [`${prefixOf(address, prefixLength)}/${prefixLength}`];
}

/** Whether a name or an address, with its zone or without, is the interface's. */
function names(wanted: string, { name, loopback, addresses }: NetworkInterface): boolean {
  const [address, zone = name] = wanted.split("%");
  const isOwn = addresses.some((own) => own.address === address) || (loopback && address === "::1");
  return wanted === name || (isOwn && zone === name);
}

/** The interface's addresses of one family. */
export function addressesOf({ addresses }: NetworkInterface, family: Family): string[] {
  return addresses.flatMap((own) => (own.family === family ? [own.address] : []));
}

/** Whether an address, without its zone, is in one of the interface's subnets. */
export function isOnLink(address: string, { addresses }: NetworkInterface): boolean {
  const family = familyOf(address);
  return addresses.some(
    (own) =>
      own.family === family &&
      prefixOf(address, own.prefixLength) === prefixOf(own.address, own.prefixLength),
  );
}

/** Whether an address, with its zone or without, is this machine's own on the interface's link. */
export function isOwn(address: string, { addresses, siblings }: LinkInterface): boolean {
  const [bare] = address.split("%");
  return [...addresses, ...siblings].some((own) => own.address === bare);
}

export function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** The first `length` bits of an address. */
function prefixOf(address: string, length: number): string {
  return bitsOf(address).slice(0, length);
}

function bitsOf(address: string): string {
  if (familyOf(address) === "IPv4")
    return address
      .split(".")
      .map((byte) => toBits(Number(byte), 8))
      .join("");
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const all = [...left, ...Array<string>(Math.max(zeros, 0)).fill("0"), ...right];
  return all.map((group) => toBits(Number.parseInt(group, 16), 16)).join("");
}

function toBits(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}
