import {
  functionShape,
  nameShape,
  type OptionShapes,
  signalShape,
  transportShape,
} from "../options/options-check.ts";
import type { DiscoverOptions, DiscoveryOptions } from "./discovery-options.ts";

/** Options of a program that leaves the transports to others. */
export const discoveryShapes: OptionShapes<Omit<DiscoveryOptions, "transports">> = {
  ttlMs: { type: "number", minimum: 1_000, maximum: 86_400_000 },
  health: { type: "code", called: "a health monitor, as httpHealth() makes one", has: ["start"] },
  capacity: { type: "integer", minimum: 1 },
  waitForNetwork: { type: "boolean" },
  onWarning: functionShape,
  onTransport: functionShape,
  log: functionShape,
  clock: { type: "code", called: "a clock", has: ["now", "wall", "schedule"] },
  random: functionShape,
  signal: signalShape,
};

export const creationShapes: OptionShapes<DiscoveryOptions> = {
  ...discoveryShapes,
  transports: { type: "array", items: transportShape, minItems: 1 },
};

export const lookShapes: OptionShapes<DiscoverOptions> = {
  timeoutMs: { type: "number", minimum: 0 },
  atLeast: { type: "number", minimum: 1 },
  untilSettled: { type: "boolean" },
  model: nameShape,
  server: nameShape,
  healthy: { type: "boolean" },
  signal: signalShape,
};

/** Options of an operation that takes time, and no others. */
export interface Cancelling {
  readonly signal?: AbortSignal;
}

export const cancelShapes: OptionShapes<Cancelling> = { signal: signalShape };
