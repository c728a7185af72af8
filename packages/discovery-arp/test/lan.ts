import type { NetworkInterfaceInfo } from "node:os";
import { systemOf } from "@lmserv/discovery-network";
import { listLinks, type NetworkLink } from "../src/links.ts";

/** What the system says of an IPv4 address with its prefix length. */
export function info(cidr: string): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  return { address, cidr, netmask: "", family: "IPv4", mac: "02:00:00:00:00:01", internal: false };
}

/** A link of that name with these addresses, as a system of which nothing else is known has it. */
export function linkOf(name: string, ...cidrs: readonly string[]): NetworkLink {
  const [link] = listLinks(systemOf({ [name]: cidrs.map(info) }));
  if (!link) throw new TypeError(`${name} has no address`);
  return link;
}
