import type { NetworkInterfaceInfo } from "node:os";
import { parseIPv4, type Subnet, subnetOf } from "./ipv4.ts";

/** What `os.networkInterfaces()` returns. */
export type SystemInterfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/** What leads where: `guests` are this machine's own containers and virtual machines. */
export type LinkKind = "lan" | "guests" | "tunnel" | "loopback";

/** One of this machine's interfaces, as far as neighbours are concerned. */
export interface NetworkLink {
  readonly name: string;
  readonly kind: LinkKind;
  /** IPv4 addresses of this machine, each with its subnet. */
  readonly subnets: readonly OwnSubnet[];
  /** All its addresses, without zones. */
  readonly addresses: readonly string[];
}

export interface OwnSubnet {
  readonly address: string;
  readonly subnet: Subnet;
}

/** What the kernel of Linux tells of an interface under /sys/class/net, or null where it tells nothing. */
export interface LinkTraits {
  /** `type`: 1 is Ethernet, and Wi-Fi too. */
  readonly type: number;
  /** `flags`, of which 0x80 is NOARP. */
  readonly flags: number;
}

const ethernetType = 1;
const noArpFlag = 0x80;

const guestNames =
  /^(docker\d*|br-[0-9a-f]{12}|virbr\d+|veth[0-9a-f]{6,}|vmnet\d+|vboxnet\d+|podman\d+|lxcbr\d+|lxdbr\d+|cni\d+|flannel.*|cali[0-9a-f]+|bridge1\d\d|vEthernet \(.*\))$/;
const tunnelNames = /^(tun|tap|wg|ppp|utun|ipsec|gif|stf|tailscale|nordlynx|proton)\d*$|^zt[0-9a-z]{8,}$/;

/** The interfaces that have an address, each with what it leads to. */
export function listLinks(
  system: SystemInterfaces,
  traitsOf: (name: string) => LinkTraits | null,
): readonly NetworkLink[] {
  return Object.entries(system).flatMap(([name, infos = []]) => {
    if (infos.length === 0) return [];
    const kind = infos.some(({ internal }) => internal) ? "loopback" : kindOf(name, traitsOf(name));
    const addresses = infos.map(({ address }) => address);
    return [{ name, kind, addresses, subnets: infos.flatMap(ownSubnets) }];
  });
}

function kindOf(name: string, traits: LinkTraits | null): LinkKind {
  if (tunnelNames.test(name)) return "tunnel";
  if (traits && (traits.type !== ethernetType || (traits.flags & noArpFlag) !== 0)) return "tunnel";
  return guestNames.test(name) ? "guests" : "lan";
}

function ownSubnets({ address, cidr }: NetworkInterfaceInfo): OwnSubnet[] {
  const value = parseIPv4(address);
  if (value === null) return [];
  return [{ address, subnet: subnetOf(value, Number(cidr?.split("/")[1] ?? 32)) }];
}

/** Whether one of `wanted` is the name of the link or one of its addresses. */
export function isNamed({ name, addresses }: NetworkLink, wanted: readonly string[]): boolean {
  return wanted.some((one) => {
    const [address = "", zone = name] = one.split("%");
    return one === name || (addresses.includes(address) && zone === name);
  });
}
