import type { NetworkInterfaceInfo } from "node:os";
import { systemOf } from "@lmserv/discovery-network";
import { listLinks, type NetworkLink } from "../src/links.ts";

/** Entry of the system for an IPv4 address with its prefix length. */
export function info(cidr: string): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  return { address, cidr, netmask: "", family: "IPv4", mac: "02:00:00:00:00:01", internal: false };
}

/** Link of that name with these addresses, on a system without further evidence. */
export function linkOf(name: string, ...cidrs: readonly string[]): NetworkLink {
  const [link] = listLinks(systemOf({ [name]: cidrs.map(info) }));
  if (!link) throw new TypeError(`${name} has no address`);
  return link;
}
