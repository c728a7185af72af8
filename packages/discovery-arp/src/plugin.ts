import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { checks, warnings } from "./codes.ts";
import { type Configurable, configurable } from "./configurable.ts";
import { arp } from "./transport.ts";

/** What a configuration file chooses as `arp`. */
export const plugin: TransportPlugin<Configurable> = {
  type: "arp",
  announces: false,
  checks,
  warnings,
  options: optionsSchema<Configurable>(configurable),
  create: (options, { name, isAwaited, onProgress }) =>
    arp({
      pace: isAwaited ? "prompt" : "gentle",
      ...options,
      name,
      ...(onProgress && {
        onProgress: ({ addresses, asked }) => onProgress({ done: asked, total: addresses }),
      }),
    }),
};
