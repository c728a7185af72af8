import type { Host, Place } from "@lmserv/test-netlab";

/** As much of a LAN as its wires hang on. */
interface Wires {
  readonly switch: Place;
}

/** A network card of a host: a veth pair between it and a bridge of the switch. */
export interface Card {
  /** Its name on the host. */
  readonly name: string;
  /** IPv4, in a /24. */
  readonly address: string;
  /** @default a new one */
  readonly mac?: string;
  /** @default "br0", the LAN that every host is on */
  readonly bridge?: string;
}

/** Runs `ip` with these arguments, separated by spaces, and throws what it says if it fails. */
export async function ip(place: Place, args: string): Promise<void> {
  const { code, stderr } = await place.run(["ip", ...args.split(" ")]);
  if (code !== 0) throw new Error(`ip ${args} on ${place.name} failed: ${stderr.trim()}`);
}

/** Adds a further LAN next to `br0` to the switch. */
export async function addBridge(lan: Wires, name: string): Promise<void> {
  await ip(lan.switch, `link add ${name} type bridge mcast_snooping 0`);
  await ip(lan.switch, `link set ${name} up`);
}

/** Plugs a new card into a running host; resolves when the host has its carrier. */
export async function plug(
  lan: Wires,
  host: Host,
  { name, address, mac, bridge = "br0" }: Card,
): Promise<void> {
  const port = portOf(host, name);
  const identity = mac === undefined ? "" : ` address ${mac}`;
  await ip(lan.switch, `link add ${port} type veth peer name ${name}${identity} netns ${host.name}`);
  await ip(lan.switch, `link set ${port} master ${bridge} up`);
  await ip(host, `addr add ${address}/24 brd + dev ${name}`);
  await ip(host, `link set ${name} up`);
  while (!(await hasCarrier(host, name))) {}
}

/** The kernel tells programs of a carrier when it comes to it, and a card without one is none to them. */
async function hasCarrier(host: Host, name: string): Promise<boolean> {
  const { stdout } = await host.run(["ip", "-o", "link", "show", "dev", name]);
  return stdout.includes("state UP");
}

/** Takes a card out. */
export async function unplug(lan: Wires, host: Host, name: string): Promise<void> {
  await ip(lan.switch, `link del ${portOf(host, name)}`);
}

/** The port's name at the switch. */
function portOf(host: Host, name: string): string {
  return name === "eth0" ? host.name : `${host.name}-${name}`;
}
