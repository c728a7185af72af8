import { createSocket, type Socket } from "node:dgram";
import { platform } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { isOnLink } from "@lmserv/discovery-network";
import multicastDns from "multicast-dns";
import { addressesOf, type Family, type NetworkInterface } from "./interfaces.ts";
import { type LinkEvents, mdnsGroups, type SocketAddress } from "./link.ts";
import { numericLookup } from "./numeric-lookup.ts";

/** A socket that sends and receives multicast DNS of one family on one interface only. */
export interface MdnsSocket {
  send(packet: Uint8Array, to: SocketAddress): void;
  keepOut(others: readonly NetworkInterface[]): void;
  close(): Promise<void>;
}

/** Documentation address without hosts (RFC 5737): a membership for this source alone receives nothing. */
const nobody = "192.0.2.254";
/** IP TTL and hop limit (RFC 6762 section 11). */
const hops = 255;

/**
 * Opens a socket on an interface.
 *
 * `multicast-dns` binds, joins the group and keeps the membership. Packets bypass its codec, which can
 * neither write nor read all of DNS-SD.
 */
export async function openSocket(
  on: NetworkInterface,
  family: Family,
  events: LinkEvents,
): Promise<MdnsSocket> {
  const socket =
    family === "IPv4"
      ? createSocket({ type: "udp4", reuseAddr: true, lookup: numericLookup() })
      : createSocket({ type: "udp6", reuseAddr: true, ipv6Only: true, lookup: numericLookup() });
  const shell = multicastDns({ socket, ...bindingOf(on, family), loopback: true, ttl: hops });
  // Its own decoding of each packet would be wasted.
  socket.removeAllListeners("message");
  try {
    await opened(shell);
  } catch (error) {
    shell.destroy();
    throw error;
  }
  socket.setTTL(hops);
  const gate = new Gate(socket, on, family);
  shell.on("error", events.died);
  shell.on("warning", (warning: Error) => {
    if (isSystemError(warning)) events.died(warning);
  });
  socket.on("message", (bytes, { address, port }) => {
    if (gate.admits(address)) events.packet(bytes, { address, port });
  });
  return {
    send(packet, to) {
      socket.send(packet, to.port, to.address, (error) => {
        if (error) events.sendFailed(error);
      });
    },
    keepOut: (others) => gate.keepOut(others),
    close: () => new Promise((resolve) => shell.destroy(resolve)),
  };
}

/** A socket bound to the group receives no unicast; Windows cannot bind so. */
function bindingOf(on: NetworkInterface, family: Family): multicastDns.Options {
  const group = mdnsGroups[family];
  const everywhere = platform() === "win32";
  if (family === "IPv6") {
    return {
      type: "udp6",
      ip: group,
      interface: `::%${on.name}`,
      bind: everywhere ? "::" : `${group}%${on.name}`,
    };
  }
  const [own = ""] = addressesOf(on, family);
  return { type: "udp4", ip: group, interface: own, bind: everywhere ? "0.0.0.0" : group };
}

/** Resolves when the port is bound and the group joined. Listeners stay, because the shell repeats errors. */
function opened(shell: multicastDns.MulticastDNS): Promise<void> {
  return new Promise((resolve, reject) => {
    shell.on("error", reject);
    shell.on("warning", (warning: Error) => {
      if (isSystemError(warning)) reject(warning);
    });
    shell.once("ready", resolve);
  });
}

/** The shell's other warnings concern packets that its own codec cannot read. */
function isSystemError(error: Error): boolean {
  return "syscall" in error;
}

/**
 * Keeps a socket to its own interface.
 *
 * Linux delivers a group's IPv4 packets from every joined interface to every socket bound to the group. A
 * membership that excludes all senders there stops them. Packets that were queued before are told apart by
 * their subnets. A socket may hold 20 memberships (`igmp_max_memberships`). Subnets decide alone on hosts
 * with more interfaces, and on loopback, where only this host speaks.
 */
class Gate {
  readonly #socket: Socket;
  readonly #on: NetworkInterface;
  readonly #isShared: boolean;
  readonly #shut = new Set<string>();
  #leaks = false;
  /** True while the queue may hold packets of other interfaces. */
  #isMixed: boolean;
  /** Packets received in the current turn of the event loop. */
  #arrivals = 0;
  #clearing = 0;

  constructor(socket: Socket, on: NetworkInterface, family: Family) {
    this.#socket = socket;
    this.#on = on;
    this.#isShared = family === "IPv4" && platform() === "linux";
    this.#isMixed = this.#isShared;
  }

  admits(address: string): boolean {
    this.#arrivals += 1;
    return !(this.#leaks || this.#isMixed || this.#on.loopback) || isOnLink(address, this.#on);
  }

  keepOut(others: readonly NetworkInterface[]): void {
    if (!this.#isShared) return;
    const before = this.#shut.size;
    this.#leaks = others.map((other) => this.#shutOut(other)).includes(false);
    if (this.#isMixed || this.#shut.size > before) void this.#clear();
  }

  /** Waits until the queue is drained: a whole turn of the event loop then brings no packet. */
  async #clear(): Promise<void> {
    this.#clearing += 1;
    const round = this.#clearing;
    this.#isMixed = true;
    // The current turn may already have read its sockets.
    await turn();
    do {
      this.#arrivals = 0;
      await turn();
      if (round !== this.#clearing) return;
    } while (this.#arrivals > 0);
    this.#isMixed = false;
  }

  /** Returns false if the system refuses: beyond the limit, or for an interface that just went. */
  #shutOut(other: NetworkInterface): boolean {
    const [address] = addressesOf(other, "IPv4");
    const id = `${other.index} ${address}`;
    if (address === undefined || this.#shut.has(id)) return true;
    try {
      this.#socket.addSourceSpecificMembership(nobody, mdnsGroups.IPv4, address);
      this.#shut.add(id);
      return true;
    } catch (error) {
      if (!(error instanceof Error && isSystemError(error))) throw error;
      return false;
    }
  }
}
