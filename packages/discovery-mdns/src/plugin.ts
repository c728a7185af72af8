import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type Settings, settings } from "./settings.ts";
import { mdns } from "./transport.ts";

/** What a configuration file chooses as `mdns`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mdns",
  announces: true,
  options: optionsSchema<Settings>(settings),
  create: (options, { name }) => mdns({ ...options, name }),
};
