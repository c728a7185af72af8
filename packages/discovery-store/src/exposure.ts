import { DiscoveryError } from "@lmserv/discovery-core";
import { isLoopback } from "@lmserv/discovery-core/transport";

/**
 * Warning that a password goes to other machines as plain text; null if all servers are on this one.
 *
 * @param type - Type of the plug-in.
 * @param via - Name of the transport.
 * @param hosts - Names or addresses of the servers.
 * @param scheme - Scheme of URLs that would keep it secret, such as `https`.
 */
export function passwordExposed(
  { type, via }: { readonly type: string; readonly via: string },
  hosts: readonly string[],
  scheme: string,
): DiscoveryError | null {
  const others = hosts.filter((host) => !isThisMachine(host));
  if (others.length === 0) return null;
  const message = `the password goes to ${others.join(", ")} as plain text, readable on the way; name the server ${scheme}://`;
  return new DiscoveryError(`${type}/password-exposed`, message, { via });
}

/** Of all names, only `localhost` surely leads nowhere else (RFC 6761 section 6.3). */
function isThisMachine(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return bare === "localhost" || bare.endsWith(".localhost") || isLoopback(bare);
}
