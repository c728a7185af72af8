import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** Properties of an interface under /sys/class/net of Linux. */
export interface LinkTraits {
  /** ARPHRD_ of <linux/if_arp.h>: 1 Ethernet and Wi-Fi, 32 InfiniBand, 772 loopback, 65534 none. */
  readonly type: number;
  /** IFF_ of <linux/if.h>. */
  readonly flags: number;
  /** Interface index, which changes when the interface is made anew. */
  readonly index: number;
  readonly mac: string;
  /** IFF_ of <linux/if_tun.h>, or null unless a process holds it open. */
  readonly tunFlags: number | null;
  readonly bridge: boolean;
  /** True with hardware behind it, including that of a hypervisor. */
  readonly device: boolean;
  /** Bridge, bond or the like of which it is a port, or null. */
  readonly master: string | null;
  /** Interfaces below it: ports of a bridge or bond, the base of a VLAN or macvlan. */
  readonly lowers: readonly string[];
  /**
   * `vlan`, `bond`, `vxlan`, `wireguard`, ...; null for bridges, for hardware, and for drivers that name
   * none.
   */
  readonly kind: string | null;
}

export interface LinkTable {
  /** By name: interfaces with an address, and those below them. */
  readonly links: ReadonlyMap<string, LinkTraits>;
  /** True if any interface, with or without an address, has hardware behind it; containers have none. */
  readonly hardware: boolean;
}

/** A VLAN on a bond of a bridge is deep already. */
const maxDepth = 8;

/** Reads the named interfaces and those below them; none if the system has no such folder. */
export function readLinks(folder: string, names: readonly string[]): LinkTable {
  const links = new Map<string, LinkTraits>();
  let wanted = names;
  for (let depth = 0; depth < maxDepth && wanted.length > 0; depth += 1) {
    const found = wanted.flatMap((name) => {
      const traits = links.has(name) ? null : readTraits(join(folder, name));
      if (traits) links.set(name, traits);
      return traits ? [traits] : [];
    });
    wanted = [...new Set(found.flatMap(({ lowers }) => lowers))];
  }
  return { links, hardware: hasHardware(folder, links) };
}

function hasHardware(folder: string, links: ReadonlyMap<string, LinkTraits>): boolean {
  if ([...links.values()].some(({ device }) => device)) return true;
  return list(folder).some((name) => existsSync(join(folder, name, "device")));
}

/** Null for an interface that is missing or has just gone. */
function readTraits(folder: string): LinkTraits | null {
  const entries = list(folder);
  const bridge = entries.includes("bridge");
  const device = entries.includes("device");
  const read = (name: string): string => readFileSync(join(folder, name), "utf8").trim();
  try {
    return {
      type: Number(read("type")),
      flags: Number(read("flags")),
      index: Number(read("ifindex")),
      mac: read("address"),
      tunFlags: entries.includes("tun_flags") ? Number(read("tun_flags")) : null,
      bridge,
      device,
      master: entries.includes("master") ? basename(readlinkSync(join(folder, "master"))) : null,
      lowers: entries.flatMap((name) => (name.startsWith("lower_") ? [name.slice("lower_".length)] : [])),
      kind: bridge || device ? null : (/^DEVTYPE=(.+)$/m.exec(read("uevent"))?.[1] ?? null),
    };
  } catch {
    return null;
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
