import { readFileSync } from "node:fs";
// biome-ignore lint/style/noRestrictedImports: this is the one reader of the system's list.
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { join } from "node:path";
import { canonicalAddress, isIPv6, parseAddress, withoutZone } from "@lmserv/discovery-core/transport";
import { type InterfaceKind, type KindEvidence, kindByName, kindOf } from "./interface-kind.ts";
import { isNetworkOrBroadcast, type Network, network, networkContains } from "./network.ts";
import { type LinkTraits, readLinks } from "./sysfs.ts";

/** Address of this machine, with its subnet. */
export interface InterfaceAddress {
  /** Canonical form, without a zone. */
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  /** Length in bits. */
  readonly prefixLength: number;
}

/** Interface of this machine that is up and has an address. */
export interface SystemInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** Interface index, which changes when the interface is made anew; 0 if the system gives none. */
  readonly index: number;
  /** Hardware address, hexadecimal bytes with colons between; zeros if there is none. */
  readonly mac: string;
  /** At least one. */
  readonly addresses: readonly InterfaceAddress[];
}

/** Snapshot of the system's network. */
export interface System {
  readonly interfaces: readonly SystemInterface[];
}

/** Result of `os.networkInterfaces()`. */
export type ListedInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Sources of the snapshot. */
export interface SystemSources {
  readonly list: () => ListedInterfaces;
  /** Folder of interfaces in sysfs. @default "/sys/class/net" */
  readonly links?: string;
  /** Folder of the network in procfs. @default "/proc/net" */
  readonly routes?: string;
}

const nothing: KindEvidence = { links: new Map(), hardware: false, defaultRoutes: new Set() };

/** Interfaces of this machine as the system lists them; none if a sandbox forbids the call. */
export function listInterfaces(): ListedInterfaces {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** Reads this machine's interfaces that are up and have an address. */
export function readSystem(sources: SystemSources = { list: listInterfaces }): System {
  const { list, links = "/sys/class/net", routes = "/proc/net" } = sources;
  const listed = list();
  const table = readLinks(links, Object.keys(listed).map(linkName));
  return systemOf(listed, { ...table, defaultRoutes: readDefaultRoutes(routes) });
}

/** Snapshot of given interfaces; without evidence, names decide their kinds. */
export function systemOf(listed: ListedInterfaces, evidence: KindEvidence = nothing): System {
  const links = new Map([...evidence.links].filter(([name, traits]) => isSame(name, traits, listed)));
  const interfaces = Object.entries(listed).flatMap(([name, infos = []]): SystemInterface[] => {
    if (infos.length === 0) return [];
    const isInternal = infos.some(({ internal }) => internal);
    const kind = isInternal ? "loopback" : kindOf(linkName(name), { ...evidence, links });
    const traits = links.get(linkName(name));
    const index = infos.find(isScoped)?.scopeid ?? traits?.index ?? 0;
    const mac = traits?.mac ?? infos[0]?.mac ?? "";
    return [{ name, kind, index, mac, addresses: infos.map(addressOf) }];
  });
  return { interfaces: evidence.hardware ? interfaces : withAWayOut(interfaces) };
}

/** True if an address, with or without its zone, is one of this machine's own. */
export function isOwnAddress(address: string, { interfaces }: System): boolean {
  const [bare = "", zone] = canonicalAddress(address).split("%");
  return interfaces.some(
    ({ name, addresses }) =>
      (zone === undefined || zone === name) && addresses.some((own) => own.address === bare),
  );
}

/** True if no host has the address: it is a subnet of this machine's, or the broadcast address of one. */
export function isNobodysNear(address: string, system: System): boolean {
  const bytes = parseAddress(address)?.bytes ?? [];
  return subnetsOf(system).some(({ subnet }) => isNetworkOrBroadcast(subnet, bytes));
}

/** Kind of the interface whose subnet holds the address, the narrowest first; null if none does. */
export function kindOfSubnet(address: string, system: System): InterfaceKind | null {
  const bytes = parseAddress(address)?.bytes ?? [];
  return subnetsOf(system).find(({ subnet }) => networkContains(subnet, bytes))?.kind ?? null;
}

/** True if an address, without its zone, is in one of the interface's subnets. */
export function isOnLink(address: string, { addresses }: Pick<SystemInterface, "addresses">): boolean {
  const bytes = parseAddress(address)?.bytes ?? [];
  return addresses.some((own) => networkContains(subnetOf(own), bytes));
}

/** True if a user's word names this interface: its name, or one of its addresses with or without a zone. */
export function isInterface(
  word: string,
  { name, addresses }: Pick<SystemInterface, "name" | "addresses">,
): boolean {
  const [address, zone = name] = word.split("%");
  return word === name || (zone === name && addresses.some((own) => own.address === address));
}

const networks = new WeakMap<InterfaceAddress, Network>();

export function subnetOf(own: InterfaceAddress): Network {
  const known = networks.get(own);
  if (known) return known;
  const subnet = network(`${own.address}/${own.prefixLength}`);
  networks.set(own, subnet);
  return subnet;
}

interface OwnSubnet {
  readonly kind: InterfaceKind;
  readonly subnet: Network;
}

const subnets = new WeakMap<System, readonly OwnSubnet[]>();

/** Narrowest first, as routes go. */
function subnetsOf(system: System): readonly OwnSubnet[] {
  const known = subnets.get(system);
  if (known) return known;
  const found = system.interfaces.flatMap(({ kind, addresses }) =>
    addresses.map((own) => ({ kind, subnet: subnetOf(own) })),
  );
  const sorted = found
    .filter(({ subnet }) => subnet.prefixLength > 0)
    .sort((a, b) => b.subnet.prefixLength - a.subnet.prefixLength);
  subnets.set(system, sorted);
  return sorted;
}

/** A container whose only uplink is a bridge has no other. */
function withAWayOut(interfaces: readonly SystemInterface[]): readonly SystemInterface[] {
  if (interfaces.some(({ kind }) => kind === "lan")) return interfaces;
  return interfaces.map((one) => (one.kind === "guests" ? { ...one, kind: kindByName(one.name) } : one));
}

/** `eth0:1` is a label of an address on eth0. */
function linkName(name: string): string {
  const [link = ""] = name.split(":");
  return link;
}

/** True if sysfs describes the same interface: in a container it may show another network's. */
function isSame(name: string, { mac }: LinkTraits, listed: ListedInterfaces): boolean {
  const infos = listed[name];
  // Not listed: an interface below another, without an address of its own.
  return !infos || infos.every((info) => info.mac === mac || mac.length !== info.mac.length);
}

function isScoped(info: NetworkInterfaceInfo): info is NetworkInterfaceInfo & { readonly scopeid: number } {
  return info.family === "IPv6" && info.scopeid > 0;
}

function addressOf({ address, family, cidr }: NetworkInterfaceInfo): InterfaceAddress {
  const whole = isIPv6(address) ? 128 : 32;
  const bare = withoutZone(canonicalAddress(address));
  return { address: bare, family, prefixLength: Number(cidr?.split("/")[1] ?? whole) };
}

/** Interfaces of the default routes on Linux; none elsewhere. */
function readDefaultRoutes(folder: string): ReadonlySet<string> {
  const rows = ["route", "ipv6_route"].flatMap((file) => {
    try {
      return readFileSync(join(folder, file), "utf8").split("\n");
    } catch {
      return [];
    }
  });
  return new Set(rows.flatMap((row) => defaultRouteOf(row.trim().split(/\s+/)) ?? []));
}

/**
 * `eth0 00000000 GATEWAY FLAGS _ _ METRIC 00000000 ...` or `0...0 00 ... eth0`, which may also be a rejecting
 * route.
 */
function defaultRouteOf(fields: readonly string[]): string | null {
  const [first = "", second = ""] = fields;
  if (second === "00000000" && fields[7] === "00000000") return first;
  const isIPv6Default = /^0{32}$/.test(first) && second === "00";
  return isIPv6Default && fields[9] !== "lo" ? (fields[9] ?? null) : null;
}
