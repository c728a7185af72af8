import type { Place } from "@lmserv/test-net";

/** One line of `ip -s -j link`. */
interface Link {
  readonly ifname: string;
  readonly stats64: { readonly rx: { readonly bytes: number } };
}

/** Bytes that each host has sent, Ethernet and all, as its port at the switch has counted them. */
export async function sentBytes(hub: Place): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await hub.run(["ip", "-s", "-j", "link", "show"]);
  const links: readonly Link[] = JSON.parse(stdout);
  return new Map(links.map(({ ifname, stats64 }) => [ifname, stats64.rx.bytes]));
}
