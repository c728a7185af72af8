import type { LinkTable, LinkTraits } from "./sysfs.ts";

/**
 * What an interface leads to.
 *
 * `loopback`: this machine. `guests`: its own containers and virtual machines, and nobody else. `tunnel`: a VPN or the
 * like, which has no link of its own. `lan`: a link with other hosts.
 */
export type InterfaceKind = "lan" | "guests" | "tunnel" | "loopback";

/** What tells interfaces apart. */
export interface KindEvidence extends LinkTable {
  /** The interfaces that default routes leave through. */
  readonly defaultRoutes: ReadonlySet<string>;
}

/** ARPHRD_ of links where hosts find each other: Ethernet, token ring, FireWire, InfiniBand. */
const lanTypes: ReadonlySet<number> = new Set([1, 6, 24, 32]);
const loopbackFlag = 0x8;
/** POINTOPOINT and NOARP. */
const noLinkFlags = 0x10 | 0x80;
/** Ethernet over other networks: as a port of a bridge it leads to hosts elsewhere. */
const overlays: ReadonlySet<string | null> = new Set(["vxlan", "geneve", "gretap", "batadv"]);
/** What a container calls its way out, where the kernel shows no difference to the way in of a guest. */
const uplinkNames = /^(eth|en|wl|ww|ib|bond|team)/;

const guestNames =
  /^(docker\d*|docker_gwbridge|br-[0-9a-f]{12}|virbr\d+|veth[0-9a-f]{6,}|vmnet\d+|vboxnet\d+|(cni-)?podman\d+|lxcbr\d+|lxdbr\d+|incusbr\d+|cni\d+|flannel.*|cali[0-9a-f]+|bridge1\d\d|vEthernet \(.*\))$/;
const tunnelNames =
  /^(tun|tap|wg|wt|ppp|utun|ipsec|gif|stf|tailscale|nordlynx|proton|nebula)\d*$|^zt[0-9a-z]{8,}$/;

/** What an interface leads to by its traits; by its name where the system shows none. */
export function kindOf(name: string, evidence: KindEvidence): InterfaceKind {
  const traits = evidence.links.get(name);
  if (!traits) return kindByName(name);
  if ((traits.flags & loopbackFlag) !== 0) return "loopback";
  if (hasNoLink(traits)) return "tunnel";
  if (evidence.defaultRoutes.has(name) || leadsOut(name, evidence)) return "lan";
  // An end of a virtual cable: the way out of a container, or the way of a machine to its guest.
  const isAlone = !traits.bridge && traits.lowers.length === 0 && !isBridgePort(traits, evidence);
  return isAlone && !evidence.hardware ? "lan" : "guests";
}

/** What an interface leads to, as far as its name tells. */
export function kindByName(name: string): InterfaceKind {
  if (/^lo\d*$/.test(name)) return "loopback";
  if (tunnelNames.test(name)) return "tunnel";
  return guestNames.test(name) ? "guests" : "lan";
}

function hasNoLink({ type, flags, tunFlags, kind }: LinkTraits): boolean {
  return !lanTypes.has(type) || (flags & noLinkFlags) !== 0 || tunFlags !== null || overlays.has(kind);
}

/** Whether frames of the interface go to a bridge, which is the one that hosts are met on. */
function isBridgePort({ master }: LinkTraits, { links }: LinkTable): boolean {
  return master !== null && links.get(master)?.bridge === true;
}

/** Whether hardware, or an overlay, is behind an interface or behind one below it. */
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
