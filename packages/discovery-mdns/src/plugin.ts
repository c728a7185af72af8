import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type MdnsOptions, mdns } from "./transport.ts";

type Settings = Omit<MdnsOptions, "name">;

/** What a configuration file chooses as `mdns`. */
export const plugin: TransportPlugin<Settings> = {
  type: "mdns",
  announces: true,
  options: optionsSchema<Settings>({
    interfaces: {
      description: "Interfaces to use, by name or address; all that lead to other hosts unless given.",
      type: "array",
      items: { type: "string", minLength: 1 },
      minItems: 1,
    },
    subtype: {
      description: "Browses only nodes of one engine, such as ollama.",
      type: "string",
      minLength: 1,
    },
    maxInstances: {
      description: "How many nodes are kept for each interface.",
      type: "integer",
      minimum: 1,
      maximum: 100_000,
      default: 10_000,
    },
  }),
  create: (options, { name }) => mdns({ ...options, name }),
};
