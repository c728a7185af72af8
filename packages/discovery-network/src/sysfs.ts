import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** What the kernel of Linux tells of an interface under /sys/class/net. */
export interface LinkTraits {
  /** ARPHRD_ of <linux/if_arp.h>: 1 Ethernet and Wi-Fi, 32 InfiniBand, 772 loopback, 65534 none. */
  readonly type: number;
  /** IFF_ of <linux/if.h>. */
  readonly flags: number;
  /** The system's number of it, which changes when it is made anew. */
  readonly index: number;
  readonly mac: string;
  /** IFF_ of <linux/if_tun.h>, or null for what a process does not hold open. */
  readonly tunFlags: number | null;
  /** Whether it is a bridge. */
  readonly bridge: boolean;
  /** Whether there is hardware behind it, also such as a hypervisor makes. */
  readonly device: boolean;
  /** The bridge, bond or the like that it is a port of, or null. */
  readonly master: string | null;
  /** The interfaces below it: ports of a bridge or bond, what a VLAN or macvlan is on. */
  readonly lowers: readonly string[];
  /** `vlan`, `bond`, `vxlan`, `wireguard`, ...; null for bridges, for hardware, and where the driver names none. */
  readonly kind: string | null;
}

/** Everything that it told. */
export interface LinkTable {
  /** By name: of interfaces with an address, and of what is below them. */
  readonly links: ReadonlyMap<string, LinkTraits>;
  /** Whether any interface, with an address or without, has hardware behind it; containers have none. */
  readonly hardware: boolean;
}

/** A VLAN on a bond of a bridge is deep already. */
const maxDepth = 8;

/** Reads the interfaces named, and those below them; none where the system has no such folder. */
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

/** Null for an interface that is not there, or has just gone. */
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
