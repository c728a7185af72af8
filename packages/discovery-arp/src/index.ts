export { plugin } from "./plugin.ts";
export type { Pace } from "./sweep/pace.ts";
export type { SweepProgress } from "./sweep/sweep.ts";
export { type ArpOptions, type ArpTransport, arp } from "./transport.ts";
