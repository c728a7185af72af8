import { BlockList } from "node:net";
import { isIPv6, isLoopback } from "@lmserv/discovery-core";

/** Networks that no stranger's packet comes from: RFC 1918, 3927, 4193, 4291 and the shared space of RFC 6598. */
const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const) {
  privateNetworks.addSubnet(network, prefix, "ipv4");
}
privateNetworks.addSubnet("fc00::", 7, "ipv6");
privateNetworks.addSubnet("fe80::", 10, "ipv6");

/** Whether the address is open to the internet; `0.0.0.0` and `::`, which stand for all, are not. */
export function isPublic(address: string): boolean {
  if (isLoopback(address) || isUnspecified(address)) return false;
  return !privateNetworks.check(withoutZone(address), isIPv6(address) ? "ipv6" : "ipv4");
}

/** Whether a listener on the address listens on all of them. */
export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** An IPv4 address as an IPv6 socket shows it, as itself. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}

export function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}
