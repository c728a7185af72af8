import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { type Settings, settings } from "./settings.ts";

/** Plug-in that a configuration file selects as `mdns`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mdns",
  announces: true,
  checks,
  options: optionsSchema<Settings>(settings),
  create: async (options, { name }) => (await import("./transport.ts")).mdns({ ...options, name }),
};
