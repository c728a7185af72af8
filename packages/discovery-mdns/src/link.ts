import type { NetworkInterface } from "./interfaces.ts";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Multicast DNS's own port and IPv4 group (RFC 6762 section 3). */
export const mdnsPort = 5_353;
export const mdnsGroup = "224.0.0.251";

/** One interface's way to the other hosts: what is sent leaves there, what arrives came in there. */
export interface Link {
  readonly interface: NetworkInterface;
  /** Sends one packet, to the group unless `to` says otherwise; a failure arrives as an event. */
  send(packet: Uint8Array, to?: Endpoint): void;
  close(): Promise<void>;
}

export interface LinkEvents {
  readonly packet: (bytes: Uint8Array, from: Endpoint) => void;
  /** A packet could not be sent; the link goes on. */
  readonly sendFailed: (error: Error) => void;
  /** The link is of no more use. */
  readonly died: (error: Error) => void;
}

/** @throws what the system says when the port cannot be bound or the group not be joined. */
export type OpenLink = (on: NetworkInterface, events: LinkEvents) => Promise<Link>;
