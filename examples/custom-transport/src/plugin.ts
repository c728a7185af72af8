import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { required, type Settings, settings } from "./settings.ts";
import { staticHosts } from "./transport.ts";

/** What makes the transport known to a configuration file. */
export const plugin: TransportPlugin<Settings> = {
  type: "static",
  announces: false,
  options: optionsSchema<Settings>(settings, required),
  create: (options, { name }) => staticHosts({ ...options, name }),
};
