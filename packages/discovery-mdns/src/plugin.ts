import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { lateSettleMs } from "./querier/schedule.ts";
import { type Settings, settings } from "./settings.ts";

/** Plug-in that a configuration file selects as `mdns`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mdns",
  announces: true,
  checks,
  options: optionsSchema<Settings>(settings),
  // Without loss, answers to two questions do; that many ms are those of a third.
  firstPassMs: async () => lateSettleMs,
  create: async (options, { name }) => (await import("./transport.ts")).mdns({ ...options, name }),
};
