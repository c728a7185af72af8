import { isIPv6 } from "@lmserv/discovery-core/transport";

/**
 * Block of addresses that one host chooses from: an IPv4 address itself, or the /64 of an IPv6 address (RFC
 * 6177).
 */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) return address;
  const [front = [], back = []] = address.split("::").map((half) => half.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back].slice(0, 4).join(":");
}
