import type { OptionShape } from "@lmserv/discovery-core/transport";
import type { ArpOptions } from "./transport.ts";

/** Options that a configuration file may set. */
export type Configurable = Omit<ArpOptions, "name" | "onProgress">;

const range = { type: "string", minLength: 1 } as const;

export const configurable: { readonly [Key in keyof Configurable]-?: OptionShape } = {
  sweep: {
    description:
      "Asks every address of this machine's own private subnets, instead of only those it knows already.",
    type: "boolean",
    default: false,
    flag: { name: "--sweep", help: "ask every address of the subnet" },
  },
  interfaces: {
    description: "Interfaces to use, by name or address; all that lead to a private LAN unless given.",
    type: "array",
    items: { type: "string", minLength: 1 },
    minItems: 1,
  },
  ports: {
    description: "Ports to ask on every host; those of the known LLM servers unless given.",
    type: "array",
    items: { type: "integer", minimum: 1, maximum: 65_535 },
    minItems: 1,
    maxItems: 64,
    flag: { name: "--ports", value: "ports", help: "ports to ask on every host" },
  },
  subnets: {
    description: "The only ranges to sweep, such as 192.168.20.0/24; 1,024 addresses together at most.",
    type: "array",
    items: range,
  },
  exclude: { description: "IPv4 addresses and ranges that are never asked.", type: "array", items: range },
  pace: {
    description: "Pace of the first sweep: as fast as the kernel has room for, or 80 addresses a second.",
    type: "string",
    enum: ["gentle", "prompt"],
  },
  sweepEveryMs: {
    description: "Wait between two sweeps, in ms.",
    type: "integer",
    minimum: 300_000,
    maximum: 86_400_000,
    default: 600_000,
  },
  maxNodes: {
    description: "Limit of listed servers.",
    type: "integer",
    minimum: 1,
    maximum: 100_000,
    default: 1_024,
  },
};
