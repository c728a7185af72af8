import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { checks } from "./codes.ts";
import { parseListen } from "./link/listen-address.ts";
import { type Settings, settings } from "./settings.ts";
import { mesh } from "./transport.ts";

/** What a configuration file chooses as `mesh`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mesh",
  announces: true,
  checks,
  options: optionsSchema<Settings>(settings),
  create: ({ key, listen, ...options }, { name }) =>
    mesh({
      ...options,
      name,
      ...(key !== undefined && { keys: key }),
      ...(listen && { listen: listen.map(parseListen) }),
    }),
};
