import type { InterfaceAddress, InterfaceKind, System } from "@lmserv/discovery-network";
import { parseIPv4, type Subnet, subnetOf } from "./ipv4.ts";

/** One of this machine's interfaces, as far as neighbours are concerned. */
export interface NetworkLink {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** IPv4 addresses of this machine, each with its subnet. */
  readonly subnets: readonly OwnSubnet[];
  /** All its addresses, without zones. */
  readonly addresses: readonly string[];
}

export interface OwnSubnet {
  readonly address: string;
  readonly subnet: Subnet;
}

/** The interfaces that have an address, each with what it leads to. */
export function listLinks({ interfaces }: System): readonly NetworkLink[] {
  return interfaces.map(({ name, kind, addresses }) => ({
    name,
    kind,
    addresses: addresses.map(({ address }) => address),
    subnets: addresses.flatMap(ownSubnets),
  }));
}

function ownSubnets({ address, prefixLength }: InterfaceAddress): OwnSubnet[] {
  const value = parseIPv4(address);
  return value === null ? [] : [{ address, subnet: subnetOf(value, prefixLength) }];
}

/** Whether one of `wanted` is the name of the link or one of its addresses. */
export function isNamed({ name, addresses }: NetworkLink, wanted: readonly string[]): boolean {
  return wanted.some((one) => {
    const [address = "", zone = name] = one.split("%");
    return one === name || (addresses.includes(address) && zone === name);
  });
}
