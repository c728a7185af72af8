import { optionsSchema, type PluginContext, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { checks, warnings } from "./codes.ts";
import { type Configurable, configurable } from "./configurable.ts";
import type { ArpTransport } from "./transport.ts";

/** Plug-in that a configuration file selects as `arp`. */
export const plugin: TransportPlugin<Configurable> = {
  type: "arp",
  announces: false,
  checks,
  warnings,
  options: optionsSchema<Configurable>(configurable),
  thorough: { option: "sweep", does: "ask every address of the subnet" },
  create,
  firstPassMs: async (options, context) => (await create(options, context)).firstPassMs(),
  neighbors: async (options, context) =>
    (await create(options, context)).neighbors(context.clock, context.signal),
};

async function create(
  options: Configurable,
  { name, interactive, onProgress }: PluginContext,
): Promise<ArpTransport> {
  const { arp } = await import("./transport.ts");
  return arp({
    pace: interactive ? "prompt" : "gentle",
    ...options,
    name,
    ...(onProgress && {
      onProgress: ({ addresses, asked }) => onProgress({ done: asked, total: addresses }),
    }),
  });
}
