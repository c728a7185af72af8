import type { Reach, SeenAddress } from "./node.ts";

const reachOrder: readonly Reach[] = ["source", "on-link", "routed", "link-local", "loopback"];

/** Whether an address is IPv6; addresses here are IPv4 or IPv6 and nothing else. */
export function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** Whether only this machine answers on the address (127.0.0.0/8, ::1). */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Whether the address means something on one link only (169.254.0.0/16, fe80::/10). */
export function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab][0-9a-f]:/i.test(address);
}

/** Orders by reach, then IPv4 before IPv6; what means something on one link only goes after what is routed. */
export function compareReach(a: SeenAddress, b: SeenAddress): number {
  return rankOf(a) - rankOf(b) || Number(isIPv6(a.address)) - Number(isIPv6(b.address));
}

function rankOf({ address, reach }: SeenAddress): number {
  return reachOrder.indexOf(isLinkLocal(address) ? "link-local" : reach);
}

/** `host:port`, with the brackets that IPv6 needs. */
export function formatEndpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
