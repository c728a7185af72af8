import type { Clock } from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import type { Family, LinkInterface, NetworkInterface } from "./interfaces.ts";

export interface SocketAddress {
  /** Has a `%zone` if it is link-local IPv6. */
  readonly address: string;
  readonly port: number;
}

/** Port and groups of multicast DNS (RFC 6762 section 3). */
export const mdnsPort = 5_353;
export const mdnsGroups: Readonly<Record<Family, string>> = { IPv4: "224.0.0.251", IPv6: "ff02::fb" };

/** One interface's sockets, over every family that it has. */
export interface Link {
  readonly interface: LinkInterface;
  /** Families with an open socket, at least one. */
  readonly families: readonly Family[];
  /** Families of the interface that could not be opened or reopened yet. */
  readonly missing: readonly Family[];
  /** Tries the missing families once more; resolves with those that are usable from now on. */
  reopen(): Promise<readonly Family[]>;
  /** Sends one packet to a family's group; failures arrive as events. */
  multicast(packet: Uint8Array, family: Family): void;
  /** Sends one packet to one host; failures arrive as events. */
  send(packet: Uint8Array, to: SocketAddress): void;
  /**
   * Enables unicast answers to this host for a while, if no other program holds port 5353.
   *
   * Resolves with true if they are enabled.
   */
  invite(): Promise<boolean>;
  /** Blocks packets that arrive on the other interfaces of `all`. */
  keepOut(all: readonly NetworkInterface[]): void;
  close(): Promise<void>;
}

export interface LinkEvents {
  readonly packet: (bytes: Uint8Array, from: SocketAddress) => void;
  /** Called when a packet could not be sent; the link goes on. */
  readonly sendFailed: (error: Error) => void;
  /** Called when one of two families cannot be used; the link goes on with the other. */
  readonly degraded: (family: Family, error: unknown) => void;
  /** Called when the link is dead. */
  readonly died: (error: Error) => void;
}

/** Sockets and interfaces that a session needs of its machine. */
export interface Machine {
  /** @throws the system's error when the port cannot be bound or the group not be joined. */
  readonly openLink: (on: LinkInterface, events: LinkEvents, clock: Clock) => Promise<Link>;
  system(): System;
  readonly hostname: () => string;
}
