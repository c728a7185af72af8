import {
  type InterfaceAddress,
  isInterface,
  type System,
  type SystemInterface,
} from "@lmserv/discovery-network";
import { parseIPv4, type Subnet, subnetOf } from "./ipv4.ts";

/** Interface of this machine, with the subnets whose neighbors it reaches. */
export interface NetworkLink extends Pick<SystemInterface, "name" | "kind" | "addresses"> {
  /** IPv4 addresses of this machine, each with its subnet. */
  readonly subnets: readonly OwnSubnet[];
}

export interface OwnSubnet {
  readonly address: string;
  readonly subnet: Subnet;
}

/** Interfaces with an address, each with its kind. */
export function listLinks({ interfaces }: System): readonly NetworkLink[] {
  return interfaces.map(({ name, kind, addresses }) => ({
    name,
    kind,
    addresses,
    subnets: addresses.flatMap(ownSubnets),
  }));
}

function ownSubnets({ address, prefixLength }: InterfaceAddress): OwnSubnet[] {
  const value = parseIPv4(address);
  return value === null ? [] : [{ address, subnet: subnetOf(value, prefixLength) }];
}

/** True if one of `wanted` is the name of the link or one of its addresses. */
export function isNamed(link: NetworkLink, wanted: readonly string[]): boolean {
  return wanted.some((word) => isInterface(word, link));
}
