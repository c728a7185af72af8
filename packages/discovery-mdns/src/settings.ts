import type { OptionShape } from "@lmserv/discovery-core/transport";
import type { MdnsOptions } from "./transport.ts";

/** Options that a configuration file may set. */
export type Settings = Omit<MdnsOptions, "name">;

export const settings: { readonly [Key in keyof Settings]-?: OptionShape } = {
  interfaces: {
    description: "Interfaces to use, by name or address; all that lead to other hosts unless given.",
    type: "array",
    items: { type: "string", minLength: 1 },
    minItems: 1,
  },
  subtype: {
    description: "Browses only nodes of one server kind, such as ollama.",
    type: "string",
    minLength: 1,
  },
  maxInstances: {
    description: "Limit of nodes for each interface.",
    type: "integer",
    minimum: 1,
    maximum: 100_000,
    default: 10_000,
  },
};
