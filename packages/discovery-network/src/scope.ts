import { parseAddress } from "@lmserv/discovery-core/transport";
import { isHostAddress } from "./host-address.ts";
import { type Network, network, networkContains } from "./network.ts";

const privateNetworks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map(network);
/**
 * Further networks from which no public packet comes: RFC 3927, RFC 4291, and the shared space of RFC 6598.
 */
const closedNetworks = ["169.254.0.0/16", "fe80::/10", "100.64.0.0/10"].map(network);

/** True if the address is reserved for private networks (RFC 1918, RFC 4193). */
export function isPrivate(address: string): boolean {
  return isIn(address, privateNetworks);
}

/** True if the address is reachable from the internet. */
export function isPublic(address: string): boolean {
  return isHostAddress(address) && !isPrivate(address) && !isIn(address, closedNetworks);
}

/** True if the address stands for all of a machine's: `0.0.0.0` or `::`, in any spelling. */
export function isUnspecified(address: string): boolean {
  return parseAddress(address)?.bytes.every((byte) => byte === 0) ?? false;
}

function isIn(address: string, networks: readonly Network[]): boolean {
  const bytes = parseAddress(address)?.bytes ?? [];
  return networks.some((one) => networkContains(one, bytes));
}
