import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { required, type Settings, settings } from "./settings.ts";

/** Declaration for configuration files and the command; it loads nothing of the transport. */
export const plugin: TransportPlugin<Settings> = {
  type: "static",
  announces: false,
  checks,
  options: optionsSchema<Settings>(settings, required),
  create: async (options, { name }) => (await import("./transport.ts")).staticHosts({ ...options, name }),
};
