export type { User } from "./holder.ts";
export type { Command, Exit, HostProcess, SpawnOptions } from "./host-process.ts";
export { createLan, type Host, type Hosts, type Lan, type LanOptions } from "./lan.ts";
export type { LinePredicate, LineSearch } from "./line-log.ts";
export { type PacketGun, packetGun, type Shot } from "./packet-gun.ts";
export { type Packet, type PacketTap, packetTap } from "./packet-tap.ts";
export {
  type Avahi,
  type AvahiPublication,
  startAvahi,
} from "./peers/avahi.ts";
export { type AvahiService, parseBrowseLine } from "./peers/avahi-line.ts";
export {
  announceOriginal,
  browseZeroconf,
  type OriginalAnnouncer,
  type OriginalNode,
  type ZeroconfBrowser,
  type ZeroconfEvent,
} from "./peers/python-zeroconf.ts";
export { missingPeers, type PeerName } from "./peers/requirements.ts";
export { type Finished, type Place, type RunOptions, runOrThrow } from "./place.ts";
export type { HostPlan } from "./plan.ts";
export type { Records } from "./records.ts";
export { python } from "./script.ts";
export { type LanSupport, lanSupport } from "./support.ts";
