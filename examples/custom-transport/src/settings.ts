import type { OptionShape } from "@lmserv/discovery-core/transport";
import type { StaticOptions } from "./transport.ts";

/** The options that a configuration file may set. */
export type Settings = Omit<StaticOptions, "name">;

export const required: readonly (keyof Settings)[] = ["hostsFile"];

export const settings: { readonly [Key in keyof Settings]-?: OptionShape } = {
  hostsFile: {
    description: "A file with one server a line: its IP address, its port, and what people know it by.",
    type: "string",
    format: "file",
    minLength: 1,
    flag: { name: "--hosts-file", value: "file", help: "the file that lists the servers" },
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
    flag: { name: "--max-hosts", value: "n", help: "how many lines of it count" },
  },
};
