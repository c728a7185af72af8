import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { NetworkInterfaceInfo } from "node:os";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSystem, type System } from "../src/index.ts";

/** Interface as a test writes it down. */
export interface LinkFixture {
  /** Addresses with prefix lengths; none for a port. */
  readonly addresses?: readonly string[];
  readonly type?: number;
  readonly flags?: number;
  readonly mac?: string;
  readonly tunFlags?: number;
  readonly bridge?: boolean;
  readonly device?: boolean;
  readonly master?: string;
  readonly lowers?: readonly string[];
  readonly devtype?: string;
  /** True if sysfs shows another interface of that name, as in a container that mounts the host's. */
  readonly foreign?: boolean;
}

export type NetworkFixture = Readonly<Record<string, LinkFixture>>;

const ethernet = 1;
const upBroadcastRunning = 0x1043;

/** Result of `readSystem` for these interfaces, read from folders like those of Linux. */
export function readFixture(
  links: NetworkFixture,
  { routes = "", sysfs = true }: { readonly routes?: string; readonly sysfs?: boolean } = {},
): System {
  const folder = mkdtempSync(join(tmpdir(), "lmserv-network-"));
  try {
    mkdirSync(join(folder, "net"));
    mkdirSync(join(folder, "class"));
    writeFileSync(join(folder, "net", "route"), routes);
    if (sysfs) for (const [index, name] of Object.keys(links).entries()) write(folder, name, index, links);
    const listed = Object.entries(links).map(([name, link], index) => [name, infosOf(link, index)] as const);
    const list = () => Object.fromEntries(listed.filter(([, infos]) => infos.length > 0));
    return readSystem({ list, links: join(folder, "class"), routes: join(folder, "net") });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Row of a default route in the format of /proc/net/route. */
export function defaultRoute(name: string): string {
  return `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n${name}\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`;
}

function info(cidr: string, mac: string, internal: boolean = false): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  const shared = { address, cidr, internal, mac, netmask: "" };
  return address.includes(":") ? { ...shared, family: "IPv6", scopeid: 0 } : { ...shared, family: "IPv4" };
}

function infosOf(link: LinkFixture, index: number): NetworkInterfaceInfo[] {
  const { addresses = [], type = ethernet, mac = macOf(index) } = link;
  return addresses.map((cidr) => info(cidr, mac, type === 772));
}

function macOf(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, "0")}`;
}

function write(folder: string, name: string, index: number, links: NetworkFixture): void {
  const link = links[name] ?? {};
  const { type = ethernet, flags = upBroadcastRunning, tunFlags, bridge, device, master } = link;
  const on = join(folder, "class", name);
  const put = (file: string, text: string | number): void => writeFileSync(join(on, file), `${text}\n`);
  mkdirSync(on);
  put("type", type);
  put("flags", `0x${flags.toString(16)}`);
  put("ifindex", index + 1);
  put("address", link.foreign ? "02:ff:ff:ff:ff:ff" : (link.mac ?? macOf(index)));
  put("uevent", `${link.devtype ? `DEVTYPE=${link.devtype}\n` : ""}INTERFACE=${name}\nIFINDEX=${index + 1}`);
  if (tunFlags !== undefined) put("tun_flags", `0x${tunFlags.toString(16)}`);
  if (bridge) mkdirSync(join(on, "bridge"));
  if (device) mkdirSync(join(on, "device"));
  if (master) symlinkSync(`../${master}`, join(on, "master"));
  for (const lower of link.lowers ?? []) symlinkSync(`../${lower}`, join(on, `lower_${lower}`));
}
