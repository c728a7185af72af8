import type { LinkTable, LinkTraits } from "./sysfs.ts";

/**
 * Kind of an interface by the hosts behind it.
 *
 * `loopback`: this machine. `guests`: only its own containers and virtual machines. `tunnel`: a VPN or the
 * like, which has no link of its own. `lan`: a link with other hosts.
 */
export type InterfaceKind = "lan" | "guests" | "tunnel" | "loopback";

export interface KindEvidence extends LinkTable {
  readonly defaultRoutes: ReadonlySet<string>;
}

/** ARPHRD_ types of links with other hosts: Ethernet, token ring, FireWire, InfiniBand. */
const lanTypes: ReadonlySet<number> = new Set([1, 6, 24, 32]);
const loopbackFlag = 0x8;
/** Flags POINTOPOINT and NOARP. */
const noLinkFlags = 0x10 | 0x80;
/** Ethernet over other networks: as a port of a bridge it leads to hosts elsewhere. */
const overlays: ReadonlySet<string | null> = new Set(["vxlan", "geneve", "gretap", "batadv"]);
/** Names of a container's uplink, which the kernel does not tell from a guest's end of the cable. */
const uplinkNames = /^(eth|en|wl|ww|ib|bond|team)/;

const guestNames =
  /^(docker\d*|docker_gwbridge|br-[0-9a-f]{12}|virbr\d+|veth[0-9a-f]{6,}|vmnet\d+|vboxnet\d+|(cni-)?podman\d+|lxcbr\d+|lxdbr\d+|incusbr\d+|cni\d+|flannel.*|cali[0-9a-f]+|bridge1\d\d|vEthernet \(.*\))$/;
const tunnelNames =
  /^(tun|tap|wg|wt|ppp|utun|ipsec|gif|stf|tailscale|nordlynx|proton|nebula)\d*$|^zt[0-9a-z]{8,}$/;

/** Kind of an interface by its traits, or by its name if the system shows none. */
export function kindOf(name: string, evidence: KindEvidence): InterfaceKind {
  const traits = evidence.links.get(name);
  if (!traits) return kindByName(name);
  if ((traits.flags & loopbackFlag) !== 0) return "loopback";
  if (hasNoLink(traits)) return "tunnel";
  if (evidence.defaultRoutes.has(name) || leadsOut(name, evidence)) return "lan";
  // End of a virtual cable: the uplink of a container, or a machine's link to its guest.
  const isAlone = !traits.bridge && traits.lowers.length === 0 && !isBridgePort(traits, evidence);
  return isAlone && !evidence.hardware ? "lan" : "guests";
}

export function kindByName(name: string): InterfaceKind {
  if (/^lo\d*$/.test(name)) return "loopback";
  if (tunnelNames.test(name)) return "tunnel";
  return guestNames.test(name) ? "guests" : "lan";
}

function hasNoLink({ type, flags, tunFlags, kind }: LinkTraits): boolean {
  return !lanTypes.has(type) || (flags & noLinkFlags) !== 0 || tunFlags !== null || overlays.has(kind);
}

/** True if the interface is a port of a bridge, which has the hosts behind it. */
function isBridgePort({ master }: LinkTraits, { links }: LinkTable): boolean {
  return master !== null && links.get(master)?.bridge === true;
}

/** True if hardware, or an overlay, is behind an interface or behind one below it. */
function leadsOut(name: string, evidence: KindEvidence, passed: ReadonlySet<string> = new Set()): boolean {
  const traits = evidence.links.get(name);
  if (!traits || passed.has(name)) return false;
  const { device, tunFlags, lowers, kind } = traits;
  if (device || overlays.has(kind)) return true;
  if (lowers.length > 0) {
    const further = new Set([...passed, name]);
    return lowers.some((lower) => leadsOut(lower, evidence, further));
  }
  return !evidence.hardware && tunFlags === null && !traits.bridge && uplinkNames.test(name);
}
