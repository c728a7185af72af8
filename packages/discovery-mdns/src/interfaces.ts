import type { NetworkInterfaceInfo } from "node:os";

/** One address of this host, with the subnet that it is in. */
export interface InterfaceAddress {
  readonly address: string;
  /** In CIDR form, 0..32. */
  readonly prefixLength: number;
}

/** A network interface as far as multicast DNS over IPv4 is concerned. */
export interface NetworkInterface {
  readonly name: string;
  readonly loopback: boolean;
  /** At least one; the first is the one that packets are sent from. */
  readonly addresses: readonly InterfaceAddress[];
}

/** What `os.networkInterfaces()` returns. */
export type SystemInterfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** Interfaces that lead to this machine's own containers, virtual machines or tunnels and nowhere else. */
const ownGuests =
  /^(docker\d*|br-[0-9a-f]{12}|virbr\d+|veth[0-9a-f]{6,}|tun\d*|tap\d*|wg\d*|utun\d+|podman\d+|lxcbr\d+|cni\d+|flannel.*|cali[0-9a-f]+)$/;

/** Every interface that has an IPv4 address. */
export function listInterfaces(system: SystemInterfaces): NetworkInterface[] {
  return Object.entries(system).flatMap(([name, infos = []]) => {
    const ipv4 = infos.filter((info) => info.family === "IPv4");
    const [first] = ipv4;
    if (!first) return [];
    return [{ name, loopback: first.internal, addresses: ipv4.map(addressOf) }];
  });
}

function addressOf({ address, cidr, netmask }: NetworkInterfaceInfo): InterfaceAddress {
  const prefixLength = cidr ? Number(cidr.split("/")[1]) : bitsOf(netmask);
  return { address, prefixLength };
}

function bitsOf(netmask: string): number {
  const bits = netmask.split(".").map((byte) => Number(byte).toString(2).replaceAll("0", ""));
  return bits.join("").length;
}

/**
 * The interfaces to use: those `wanted` by name or address, or else all but those that lead only to this
 * machine's own guests.
 */
export function chooseInterfaces(
  all: readonly NetworkInterface[],
  wanted: readonly string[] | undefined,
): NetworkInterface[] {
  if (!wanted) return all.filter(({ name }) => !ownGuests.test(name));
  const isWanted = ({ name, addresses }: NetworkInterface): boolean =>
    wanted.includes(name) || addresses.some(({ address }) => wanted.includes(address));
  return all.filter(isWanted);
}

/** Whether an IPv4 address is in one of the interface's subnets. */
export function isOnLink(address: string, { addresses }: NetworkInterface): boolean {
  const bits = toBits(address);
  return addresses.some((own) => {
    const mask = own.prefixLength === 0 ? 0 : (0xffffffff << (32 - own.prefixLength)) >>> 0;
    return (bits & mask) >>> 0 === (toBits(own.address) & mask) >>> 0;
  });
}

function toBits(address: string): number {
  return address.split(".").reduce((bits, byte) => (bits * 256 + Number(byte)) >>> 0, 0);
}
