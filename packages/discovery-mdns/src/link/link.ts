import type { Clock } from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import type { Family, LinkInterface, NetworkInterface } from "./interfaces.ts";

export interface SocketAddress {
  /** With its `%zone` when link-local IPv6. */
  readonly address: string;
  readonly port: number;
}

/** Multicast DNS's own port and groups (RFC 6762 section 3). */
export const mdnsPort = 5_353;
export const mdnsGroups: Readonly<Record<Family, string>> = { IPv4: "224.0.0.251", IPv6: "ff02::fb" };

/** One interface's way to the other hosts, over every family that it has. */
export interface Link {
  readonly interface: LinkInterface;
  /** Those that it can send over, at least one. */
  readonly families: readonly Family[];
  /** Those that the interface has addresses of, and that could not be opened or mended yet. */
  readonly missing: readonly Family[];
  /** Tries the missing ones once more; resolves with those that can be used from now on. */
  mend(): Promise<readonly Family[]>;
  /** Sends one packet to a family's group; failures arrive as events. */
  multicast(packet: Uint8Array, family: Family): void;
  /** Sends one packet to one host; failures arrive as events. */
  send(packet: Uint8Array, to: SocketAddress): void;
  /**
   * Makes answers to this host alone receivable for a while, if port 5353 is shown to be nobody else's.
   *
   * Resolves with whether it did.
   */
  invite(): Promise<boolean>;
  /** Keeps packets out that come in on the other ones of all interfaces. */
  keepOut(all: readonly NetworkInterface[]): void;
  close(): Promise<void>;
}

export interface LinkEvents {
  readonly packet: (bytes: Uint8Array, from: SocketAddress) => void;
  /** A packet could not be sent; the link goes on. */
  readonly sendFailed: (error: Error) => void;
  /** One of two families cannot be used, for now; the link goes on with the other. */
  readonly degraded: (family: Family, error: unknown) => void;
  /** The link is of no more use. */
  readonly died: (error: Error) => void;
}

/** What a session needs of its machine. */
export interface Machine {
  /** @throws what the system says when the port cannot be bound or the group not be joined. */
  readonly openLink: (on: LinkInterface, events: LinkEvents, clock: Clock) => Promise<Link>;
  system(): System;
  readonly hostname: () => string;
}
