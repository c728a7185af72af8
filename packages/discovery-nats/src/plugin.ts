import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { storeChecks, storeWarnings } from "@lmserv/discovery-fleet";
import { type Configurable, configurable } from "./configurable.ts";
import { nats } from "./transport.ts";

/** What a configuration file chooses as `nats`. */
export const plugin: TransportPlugin<Configurable> = {
  type: "nats",
  announces: true,
  checks: storeChecks,
  warnings: storeWarnings,
  options: optionsSchema<Configurable>(configurable),
  create: (options, { name }) => nats({ ...options, name }),
};
