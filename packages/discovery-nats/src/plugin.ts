import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { storeChecks, storeWarnings } from "@lmserv/discovery-store/plugin";
import { type Configurable, configurable } from "./configurable.ts";

/** Plug-in that a configuration file selects as `nats`. */
export const plugin: TransportPlugin<Configurable> = {
  type: "nats",
  announces: true,
  signs: true,
  needsServer: true,
  checks: storeChecks,
  warnings: storeWarnings,
  options: optionsSchema<Configurable>(configurable),
  create: async (options, { name, identity }) =>
    (await import("./transport.ts")).nats({ ...options, name, ...(identity && { identity }) }),
};
