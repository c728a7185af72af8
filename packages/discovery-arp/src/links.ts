import type { NetworkInterfaceInfo } from "node:os";
import { type InterfaceKind, interfaceKind, type SystemInterfaces } from "@lmserv/discovery-core";
import { parseIPv4, type Subnet, subnetOf } from "./ipv4.ts";

export type LinkKind = InterfaceKind | "loopback";

/** One of this machine's interfaces, as far as neighbours are concerned. */
export interface NetworkLink {
  readonly name: string;
  readonly kind: LinkKind;
  /** IPv4 addresses of this machine, each with its subnet. */
  readonly subnets: readonly OwnSubnet[];
  /** All its addresses, without zones. */
  readonly addresses: readonly string[];
}

export interface OwnSubnet {
  readonly address: string;
  readonly subnet: Subnet;
}

/** What the kernel of Linux tells of an interface under /sys/class/net, or null where it tells nothing. */
export interface LinkTraits {
  /** `type`: 1 is Ethernet, and Wi-Fi too. */
  readonly type: number;
  /** `flags`, of which 0x80 is NOARP. */
  readonly flags: number;
}

const ethernetType = 1;
const noArpFlag = 0x80;

/** The interfaces that have an address, each with what it leads to. */
export function listLinks(
  system: SystemInterfaces,
  traitsOf: (name: string) => LinkTraits | null,
): readonly NetworkLink[] {
  return Object.entries(system).flatMap(([name, infos = []]) => {
    if (infos.length === 0) return [];
    const kind = infos.some(({ internal }) => internal) ? "loopback" : kindOf(name, traitsOf(name));
    const addresses = infos.map(({ address }) => address);
    return [{ name, kind, addresses, subnets: infos.flatMap(ownSubnets) }];
  });
}

function kindOf(name: string, traits: LinkTraits | null): LinkKind {
  if (traits && (traits.type !== ethernetType || (traits.flags & noArpFlag) !== 0)) return "tunnel";
  return interfaceKind(name);
}

function ownSubnets({ address, cidr }: NetworkInterfaceInfo): OwnSubnet[] {
  const value = parseIPv4(address);
  if (value === null) return [];
  return [{ address, subnet: subnetOf(value, Number(cidr?.split("/")[1] ?? 32)) }];
}

/** Whether one of `wanted` is the name of the link or one of its addresses. */
export function isNamed({ name, addresses }: NetworkLink, wanted: readonly string[]): boolean {
  return wanted.some((one) => {
    const [address = "", zone = name] = one.split("%");
    return one === name || (addresses.includes(address) && zone === name);
  });
}
