import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type HardwareAddress, type MachineFacts, type MachineMark, markOf } from "./machine.ts";
import { type ListedInterfaces, listInterfaces, readSystem, type System } from "./system.ts";

/** Files of the system; null for missing or unreadable ones. */
export interface SystemFiles {
  readonly text: (path: string) => string | null;
  readonly names: (folder: string) => readonly string[];
  readonly target: (link: string) => string | null;
}

const systemFiles: SystemFiles = {
  text: (path) => attempt(() => readFileSync(path, "utf8").trim()),
  names: (folder) => attempt(() => readdirSync(folder)) ?? [],
  target: (link) => attempt(() => readlinkSync(link)),
};

const folder = "/sys/class/net";
/** The universal/local bit (IEEE 802): set for addresses that did not come with the hardware. */
const localBit = 2;

export function thisMachine(): MachineMark {
  const listed = listInterfaces();
  return markOf(readMachine(listed, readSystem({ list: () => listed }), systemFiles));
}

/** Facts that identify a machine: its interfaces, and further properties of its system. */
export function readMachine(listed: ListedInterfaces, system: System, files: SystemFiles): MachineFacts {
  const isShown = showsOwnInterfaces(listed, files);
  const cards = isShown ? files.names(folder).flatMap((name) => cardOf(name, files)) : [];
  return {
    addresses: [...cards, ...uplinks(listed, system, isShown ? files : null)],
    installation: files.text("/etc/machine-id") || files.text("/var/lib/dbus/machine-id") || null,
    stack: stackOf(files),
  };
}

/** Each boot has another id, and numbers its network stacks. */
function stackOf({ text, target }: SystemFiles): string | null {
  const [boot, stack] = [text("/proc/sys/kernel/random/boot_id"), target("/proc/self/ns/net")];
  return boot && stack ? `${boot} ${stack}` : null;
}

/** `/sys` shows the interfaces of the network stack that it was mounted in, which may be another one. */
function showsOwnInterfaces(listed: ListedInterfaces, { text, names }: SystemFiles): boolean {
  const own = text("/proc/self/net/dev")
    ?.split("\n")
    .flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []);
  if (!own || own.sort().join() !== interfacesIn(names(folder), text).join()) return false;
  return Object.entries(listed).every(([name, infos = []]) =>
    infos.every(({ mac }) => text(`${folder}/${name}/address`)?.startsWith(mac) ?? false),
  );
}

/** Other entries there, such as `bonding_masters`, are no interfaces. */
function interfacesIn(names: readonly string[], text: SystemFiles["text"]): readonly string[] {
  return names.filter((name) => text(`${folder}/${name}/type`) !== null).sort();
}

/** Permanent address of a card, whether it is plugged in and up or not. */
function cardOf(name: string, { text, target }: SystemFiles): readonly HardwareAddress[] {
  const isCard = target(`${folder}/${name}/device`) !== null;
  const isVirtualFunction = target(`${folder}/${name}/device/physfn`) !== null;
  if (!isCard || isVirtualFunction) return [];
  const made =
    text(`${folder}/${name}/phy80211/macaddress`) ?? text(`${folder}/${name}/bonding_slave/perm_hwaddr`);
  // NET_ADDR_PERM of linux/netdevice.h: neither random nor set by an administrator.
  const isOriginal = text(`${folder}/${name}/addr_assign_type`) === "0";
  const address = made ?? (isOriginal ? text(`${folder}/${name}/address`) : null);
  return address === null ? [] : [{ address, isPermanent: true }];
}

/** Addresses of active uplinks; without our own `/sys`, names and addresses decide. */
function uplinks(
  listed: ListedInterfaces,
  { interfaces }: System,
  files: SystemFiles | null,
): readonly HardwareAddress[] {
  return interfaces.flatMap(({ name, kind }) => {
    // The system's own list truncates the long addresses of InfiniBand.
    const address = files?.text(`${folder}/${name}/address`) ?? listed[name]?.[0]?.mac;
    if (kind !== "lan" || address === undefined) return [];
    return [{ address, isPermanent: files === null && isUniversal(address) }];
  });
}

function isUniversal(address: string): boolean {
  return (Number.parseInt(address.slice(0, 2), 16) & localBit) === 0;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
