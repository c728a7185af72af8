import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { storeChecks, storeWarnings } from "@lmserv/discovery-store/plugin";
import { type Settings, settings } from "./settings.ts";

/** Plug-in that a configuration file selects as `etcd`. */
export const plugin: TransportPlugin<Settings> = {
  type: "etcd",
  announces: true,
  signs: true,
  needsServer: true,
  checks: storeChecks,
  warnings: storeWarnings,
  options: optionsSchema<Settings>(settings),
  create: async (options, { name, identity }) =>
    (await import("./transport.ts")).etcd({ ...options, name, ...(identity && { identity }) }),
};
