import { isIP } from "node:net";
import { formatEndpoint, isLoopback } from "@lmserv/discovery-core/transport";
import { isPublic } from "@lmserv/discovery-network";

/** Where connections may do without encryption: nowhere, on private and loopback addresses, or anywhere. */
export type Plain = "nowhere" | "private" | "anywhere";

/** How well connections are protected. */
export interface Protection {
  /** Whether the cluster has a key. */
  readonly keyed: boolean;
  readonly encrypted: boolean;
  readonly plain: Plain;
}

/** Why nobody should speak at an address or a name with that protection, or null. */
export function exposure(host: string, port: number, { keyed, encrypted, plain }: Protection): string | null {
  const at = formatEndpoint(host, port);
  if (!encrypted && plain === "nowhere") {
    return `${at} has no TLS here, and tlsOnly allows nothing else: listen with a certificate (tls), dial wss://`;
  }
  if (isIP(host) === 0) return null;
  if (!keyed && !isLoopback(host)) {
    return `${at} is open to other hosts: without a cluster key only loopback addresses are allowed`;
  }
  if (!encrypted && plain === "private" && isPublic(host)) {
    return `${at} is a public address: unencrypted connections are allowed on private and loopback addresses only`;
  }
  return null;
}
