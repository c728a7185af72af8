import { isLinkLocal } from "@lmserv/discovery-core/transport";
import type { InterfaceKind } from "./interface-kind.ts";
import type { InterfaceAddress, System } from "./system.ts";

/** An announcement names at most 16 addresses; 8 leave room for those that others see. */
const maxAddresses = 8;
const announcedKinds: readonly InterfaceKind[] = ["lan", "tunnel"];

/**
 * Addresses at which other hosts can reach this machine: IPv4 first, its LANs before its tunnels.
 *
 * Falls back to link-local ones, and to loopback without any network: then only this machine's own processes
 * can reach it.
 */
export function ownAddresses({ interfaces }: System): string[] {
  const of = (kind: InterfaceKind): readonly InterfaceAddress[] =>
    interfaces.filter((one) => one.kind === kind).flatMap(({ addresses }) => addresses);
  const outward = announcedKinds.flatMap(of);
  const routed = outward.filter(({ address }) => !isLinkLocal(address));
  const chosen = [routed, outward].find((some) => some.length > 0) ?? of("loopback");
  const ordered = (["IPv4", "IPv6"] as const).flatMap((family) =>
    chosen.filter((own) => own.family === family),
  );
  return [...new Set(ordered.map(({ address }) => address))].slice(0, maxAddresses);
}
