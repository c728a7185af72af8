import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type StaticOptions, staticHosts } from "./transport.ts";

type Settings = Omit<StaticOptions, "name">;

/** What makes the transport known to a configuration file. */
export const plugin: TransportPlugin<Settings> = {
  type: "static",
  announces: false,
  options: optionsSchema<Settings>(
    {
      hostsFile: {
        description: "A file with one server a line: its IP address, its port, and what people know it by.",
        type: "string",
        format: "file",
        minLength: 1,
      },
      rereadMs: {
        description: "How often the file is read, in ms.",
        type: "integer",
        minimum: 100,
        maximum: 3_600_000,
        default: 5_000,
      },
      maxHosts: {
        description: "How many lines count.",
        type: "integer",
        minimum: 1,
        maximum: 100_000,
        default: 1_000,
      },
    },
    ["hostsFile"],
  ),
  create: (options, { name }) => staticHosts({ ...options, name }),
};
