import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** What `os.networkInterfaces()` returns. */
export type SystemInterfaces = NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * What an interface leads to, as far as its name tells.
 *
 * `guests`: this machine's own containers and virtual machines, and nobody else. `tunnel`: a VPN or the like,
 * which has no link of its own.
 */
export type InterfaceKind = "lan" | "guests" | "tunnel";

const guests =
  /^(docker\d*|docker_gwbridge|br-[0-9a-f]{12}|virbr\d+|veth[0-9a-f]{6,}|vmnet\d+|vboxnet\d+|podman\d+|lxcbr\d+|lxdbr\d+|cni\d+|flannel.*|cali[0-9a-f]+|bridge1\d\d|vEthernet \(.*\))$/;
const tunnels = /^(tun|tap|wg|ppp|utun|ipsec|gif|stf|tailscale|nordlynx|proton)\d*$|^zt[0-9a-z]{8,}$/;

/** This machine's interfaces that are up. */
export function systemInterfaces(): SystemInterfaces {
  try {
    return networkInterfaces();
  } catch {
    // A sandbox may forbid the look; that is a machine without a network.
    return {};
  }
}

export function interfaceKind(name: string): InterfaceKind {
  if (tunnels.test(name)) return "tunnel";
  return guests.test(name) ? "guests" : "lan";
}
