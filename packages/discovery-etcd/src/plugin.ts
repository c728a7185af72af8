import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { storeChecks, storeWarnings } from "@lmserv/discovery-fleet";
import { type Settings, settings } from "./settings.ts";
import { etcd } from "./transport.ts";

/** What a configuration file chooses as `etcd`. */
export const plugin: TransportPlugin<Settings> = {
  type: "etcd",
  announces: true,
  checks: storeChecks,
  warnings: storeWarnings,
  options: optionsSchema<Settings>(settings),
  create: (options, { name }) => etcd({ ...options, name }),
};
