import type { OptionShape } from "@lmserv/discovery-core";
import type { FleetOptions } from "./transport.ts";

/** What a configuration file can say of a fleet, on whichever engine. */
export type FleetSettings = Pick<FleetOptions, "cluster" | "lifetimeMs" | "addresses">;

/** The same, as the options of a plug-in. */
export const fleetOptions: { readonly [Key in keyof FleetSettings]-?: OptionShape } = {
  cluster: {
    description: "Name of the fleet, where an engine serves several.",
    type: "string",
    minLength: 1,
    default: "default",
  },
  lifetimeMs: {
    description: "How long others list a node that died, in ms.",
    type: "integer",
    minimum: 2_000,
    maximum: 86_400_000,
    default: 30_000,
  },
  addresses: {
    description: "Where the nodes of this machine answer; its own addresses unless given.",
    type: "array",
    items: { type: "string", minLength: 1 },
    minItems: 1,
    maxItems: 16,
  },
};
