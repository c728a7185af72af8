import { hostname, networkInterfaces } from "node:os";
import type { Transport } from "@lmserv/discovery-core";
import { type Machine, MdnsSession } from "./session.ts";
import { openSocket } from "./socket.ts";

export interface MdnsOptions {
  /**
   * Interfaces to use, by name or address.
   *
   * @default every one but those that lead only to this machine's own containers and tunnels
   */
  readonly interfaces?: readonly string[];
  /** Name in a composition. @default "mdns" */
  readonly name?: string;
}

const thisMachine: Machine = { openLink: openSocket, interfaces: networkInterfaces, hostname };

/**
 * DNS-SD over multicast DNS: finds and announces `_lmserv._tcp.local.`
 *
 * @throws {TypeError} for an empty list of interfaces.
 * @see RFC 6762, RFC 6763
 */
export function mdns(
  { interfaces, name = "mdns" }: MdnsOptions = {},
  machine: Machine = thisMachine,
): Transport {
  if (interfaces?.length === 0)
    throw new TypeError("interfaces must name at least one interface, or be left out");
  return {
    name,
    async open(context, { signal }) {
      const session = new MdnsSession(context, { name, interfaces }, machine);
      await session.open(signal);
      return session;
    },
  };
}
