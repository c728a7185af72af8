import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type HardwareAddress, type MachineFacts, type MachineMark, markOf } from "./machine.ts";
import { type ListedInterfaces, readSystem, type System } from "./system.ts";

/** Reads what a system shows of itself; null for what is not there, or not for us. */
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

/** The mark of this machine, as of now. */
export function thisMachine(): MachineMark {
  const listed = attempt(networkInterfaces) ?? {};
  return markOf(readMachine(listed, readSystem({ list: () => listed }), systemFiles));
}

/** What tells a machine from others: its interfaces, and what else its system shows. */
export function readMachine(listed: ListedInterfaces, system: System, files: SystemFiles): MachineFacts {
  const isShown = showsOwnInterfaces(listed, files);
  const cards = isShown ? files.names(folder).flatMap((name) => cardOf(name, files)) : [];
  return {
    addresses: [...cards, ...uplinks(listed, system, isShown ? files : null)],
    installation: files.text("/etc/machine-id") || files.text("/var/lib/dbus/machine-id") || null,
    stack: stackOf(files),
  };
}

/** A kernel boots under another id each time, and numbers its network stacks. */
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

/** What else lies there, such as `bonding_masters`, is no interface. */
function interfacesIn(names: readonly string[], text: SystemFiles["text"]): readonly string[] {
  return names.filter((name) => text(`${folder}/${name}/type`) !== null).sort();
}

/** A card, plugged in and up or not, by the address that it was made with. */
function cardOf(name: string, { text, target }: SystemFiles): readonly HardwareAddress[] {
  const isCard = target(`${folder}/${name}/device`) !== null;
  const isVirtualFunction = target(`${folder}/${name}/device/physfn`) !== null;
  if (!isCard || isVirtualFunction) return [];
  const made =
    text(`${folder}/${name}/phy80211/macaddress`) ?? text(`${folder}/${name}/bonding_slave/perm_hwaddr`);
  // NET_ADDR_PERM of linux/netdevice.h: neither chosen at random nor set by somebody.
  const isOriginal = text(`${folder}/${name}/addr_assign_type`) === "0";
  const address = made ?? (isOriginal ? text(`${folder}/${name}/address`) : null);
  return address === null ? [] : [{ address, isPermanent: true }];
}

/** The addresses of what is up and leads to others, which only names and the address itself tell of where `/sys` is not ours. */
function uplinks(
  listed: ListedInterfaces,
  { interfaces }: System,
  files: SystemFiles | null,
): readonly HardwareAddress[] {
  return interfaces.flatMap(({ name, kind }) => {
    // The system's own list cuts the long addresses of InfiniBand.
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
