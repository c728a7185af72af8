export type { Pace } from "./pace.ts";
export { plugin } from "./plugin.ts";
export type { SweepProgress } from "./sweep.ts";
export { type ArpOptions, type ArpTransport, arp } from "./transport.ts";
