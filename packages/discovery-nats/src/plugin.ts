import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type Configurable, configurable } from "./configurable.ts";
import { nats } from "./transport.ts";

/** What a configuration file chooses as `nats`. */
export const plugin: TransportPlugin<Configurable> = {
  type: "nats",
  announces: true,
  options: optionsSchema<Configurable>(configurable),
  create: (options, { name }) => nats({ ...options, name }),
};
