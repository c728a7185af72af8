import { formatEndpoint, isLoopback } from "@lmserv/discovery-core";
import { isPublic } from "@lmserv/discovery-network";

/** How well connections are protected. */
export interface Protection {
  /** Whether the cluster has a key. */
  readonly keyed: boolean;
  readonly encrypted: boolean;
  /** Whether unencrypted connections may cross the internet all the same. */
  readonly forced: boolean;
}

/** Why nobody should speak there with that protection, or null. */
export function exposure(
  address: string,
  port: number,
  { keyed, encrypted, forced }: Protection,
): string | null {
  const at = formatEndpoint(address, port);
  if (!keyed && !isLoopback(address)) {
    return `${at} is open to other hosts: without a cluster key only loopback addresses are allowed`;
  }
  if (!encrypted && !forced && isPublic(address)) {
    return `${at} is a public address: unencrypted connections are allowed on private and loopback addresses only`;
  }
  return null;
}
