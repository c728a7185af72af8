import { formatEndpoint, isIPv6 } from "@lmserv/discovery-core";
import { isUnspecified, ownAddresses, type System } from "@lmserv/discovery-network";
import type { ListenAddress } from "./link/listen-address.ts";

/** A record names at most 16 addresses; 8 leave room for those that others see. */
const maxAddresses = 8;

/** The addresses behind the ones that are listened on: those of the machine where one stands for all. */
export function reachableAddresses(listen: readonly ListenAddress[], system: System): string[] {
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

function isForAll(host: string, address: string): boolean {
  return isUnspecified(host) && isIPv6(host) === isIPv6(address);
}
