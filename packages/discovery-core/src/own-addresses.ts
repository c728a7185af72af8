import { BlockList } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { isLinkLocal, isLoopback } from "./address.ts";
import type { SeenAddress } from "./node.ts";
import { interfaceKind, type SystemInterfaces } from "./system-interfaces.ts";

/** What is announced names at most 16 addresses; 8 leave room for those that others see. */
const maxAddresses = 8;

/** Where other hosts can reach this machine, IPv4 first; loopback when it has nothing else. */
export function ownAddresses(system: SystemInterfaces): string[] {
  const infos = Object.entries(system).flatMap(([name, found = []]) =>
    interfaceKind(name) === "guests" ? [] : found,
  );
  const usable = infos.filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const chosen = usable.length > 0 ? usable : infos.filter(({ internal }) => internal);
  const [first, second] = [chosen.filter(isIPv4), chosen.filter((info) => !isIPv4(info))];
  return [...new Set([...first, ...second].map(({ address }) => address))].slice(0, maxAddresses);
}

/**
 * How the addresses that a host says it has are expected to answer from here.
 *
 * @param remoteAddress - Where its packets come from, or null when it does not speak to us itself.
 */
export function rankAddresses(
  announced: readonly string[],
  remoteAddress: string | null,
  near: BlockList,
): SeenAddress[] {
  const ranked = announced.map((address): SeenAddress => {
    if (isLoopback(address)) return { address, reach: "loopback" };
    if (address === remoteAddress) return { address, reach: "source" };
    if (isLinkLocal(address)) return { address, reach: "link-local" };
    return { address, reach: near.check(address, familyOf(address)) ? "on-link" : "routed" };
  });
  if (remoteAddress === null || isLoopback(remoteAddress) || remoteAddress.includes("%")) return ranked;
  // Behind a translated address nobody knows its own.
  const isKnown = ranked.some(({ reach }) => reach === "source" || reach === "on-link");
  return isKnown ? ranked : [...ranked, { address: remoteAddress, reach: "on-link" }];
}

/** The networks that this machine is in. */
export function subnetsOf(system: SystemInterfaces): BlockList {
  const subnets = new BlockList();
  for (const { address, cidr } of Object.values(system).flatMap((infos) => infos ?? [])) {
    const prefix = Number(cidr?.split("/")[1]);
    if (prefix > 0) subnets.addSubnet(address, prefix, familyOf(address));
  }
  return subnets;
}

function isIPv4({ family }: NetworkInterfaceInfo): boolean {
  return family === "IPv4";
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
