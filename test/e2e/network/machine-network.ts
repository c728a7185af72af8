import { fileURLToPath } from "node:url";
import type { Command, Host, Place } from "@lmserv/test-netlab";
import { python } from "@lmserv/test-netlab";
import { ip } from "./wiring.ts";

const tunHolder = fileURLToPath(new URL("./hold-tun.py", import.meta.url));

/** An interface that leads to no other machine of a LAN. */
export interface InnerInterface {
  readonly name: string;
  /** IPv4, with the length of its prefix. */
  readonly address: string;
}

/** Gives a machine a bridge with one guest, which is behind the switch. */
export async function addContainers(
  lan: { readonly switch: Place },
  host: Host,
  { name, address }: InnerInterface,
): Promise<void> {
  const [port, guest] = [`${name.slice(0, 8)}-p1`, `${name.slice(0, 8)}-${host.name}`];
  await ip(host, `link add ${name} type bridge`);
  await ip(host, `addr add ${address} dev ${name}`);
  await ip(host, `link add ${port} type veth peer name ${guest} netns switch`);
  await ip(lan.switch, `link set ${guest} up`);
  await ip(host, `link set ${port} master ${name} up`);
  await ip(host, `link set ${name} up`);
}

/** Gives a machine a tun that a process holds open, as a VPN does. */
export async function addVpn(host: Host, { name, address }: InnerInterface): Promise<void> {
  const holder = await host.spawn([python, tunHolder, name]);
  await holder.line((line) => line === "open");
  await ip(host, `addr add ${address} dev ${name}`);
  await ip(host, `link set ${name} up`);
}

/** A command that sees the interfaces of its host, and not those of the machine that the LAN is on, under /sys. */
export function withOwnSysfs(command: Command): Command {
  const script = 'mount -t sysfs sysfs /sys && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, "sh", ...command];
}
