import { BlockList } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import {
  formatEndpoint,
  interfaceKind,
  isLinkLocal,
  isLoopback,
  type SeenAddress,
  type SystemInterfaces,
} from "@lmserv/discovery-core";
import { isUnspecified } from "./link/address-scope.ts";
import type { ListenAddress } from "./link/listen-address.ts";

/** A record names at most 16 addresses; 8 leave room for those that others see. */
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

/** The addresses behind the ones that are listened on: those of the machine where one stands for all. */
export function reachableAddresses(listen: readonly ListenAddress[], system: SystemInterfaces): string[] {
  if (listen.length === 0) return ownAddresses(system);
  const named = listen.map(({ host }) => host).filter((host) => !isUnspecified(host));
  const all = listen.some(({ host }) => isUnspecified(host)) ? ownAddresses(system) : [];
  return [...new Set([...named, ...all])].slice(0, maxAddresses);
}

/** The URLs of what is listened on, at the addresses by which others know this machine. */
export function urlsOf(
  listen: readonly ListenAddress[],
  addresses: readonly string[],
  secure: boolean,
): string[] {
  return addresses.flatMap((address) => {
    const on =
      listen.find(({ host }) => host === address) ?? listen.find(({ host }) => isForAll(host, address));
    return on ? [`${secure ? "wss" : "ws"}://${formatEndpoint(address, on.port)}`] : [];
  });
}

/** How the addresses that a member says it has are expected to answer from here. */
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

function isForAll(host: string, address: string): boolean {
  return isUnspecified(host) && familyOf(host) === familyOf(address);
}

function isIPv4({ family }: NetworkInterfaceInfo): boolean {
  return family === "IPv4";
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
