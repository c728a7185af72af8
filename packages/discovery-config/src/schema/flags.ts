import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type JsonSchema, optionsJsonSchema, propertiesOf } from "./json-schema.ts";

/** Flag that sets an option of every chosen transport that declares it. */
export interface TransportFlag {
  /** Name such as `--seed`. */
  readonly name: string;
  readonly help: string;
  /** Placeholder of its value in a word; null for a switch. */
  readonly value: string | null;
  /** True if it may be repeated, and take comma-separated values. */
  readonly isList: boolean;
  /** Allowed values; null for any. */
  readonly choices: readonly string[] | null;
  /** True if it is of use only with announcements. */
  readonly announcing: boolean;
  /** Kinds of transport that have it. */
  readonly types: readonly string[];
  /** Options that it sets, as files write them. */
  readonly keys: readonly string[];
}

/** Flags that plug-ins declare, each once, in their order; the first plug-in's help counts. */
export function transportFlags(plugins: Iterable<TransportPlugin>): readonly TransportFlag[] {
  const flags = new Map<string, TransportFlag>();
  for (const plugin of plugins) {
    for (const [key, property] of propertiesOf(optionsJsonSchema(plugin))) {
      const flag = flagOf(key, property, plugin.type);
      if (!flag) continue;
      const first = flags.get(flag.name) ?? flag;
      const types = [...new Set([...first.types, ...flag.types])];
      const keys = [...new Set([...first.keys, ...flag.keys])];
      flags.set(flag.name, { ...first, types, keys });
    }
  }
  return [...flags.values()];
}

function flagOf(key: string, property: JsonSchema, type: string): TransportFlag | null {
  const { flag, writeOnly, format, items, enum: choices = items?.enum } = property;
  if (!flag || !/^--[a-z][a-z0-9-]*$/.test(flag.name)) return null;
  const isFile = writeOnly || format === "file";
  return {
    name: flag.name,
    help: flag.help,
    value: isFile ? "file" : (flag.value ?? null),
    isList: property.type === "array",
    choices: choices ?? null,
    announcing: flag.announcing ?? false,
    types: [type],
    keys: [writeOnly ? `${key}File` : key],
  };
}

/** Option with addresses to listen on, and the flag that sets another. */
export interface ListeningOption {
  readonly key: string;
  /** Such as `--listen 0.0.0.0:7947`. */
  readonly another: string;
}

/** Option of a plug-in with the addresses that it listens on; null if there is none. */
export function listeningOption(plugin: TransportPlugin): ListeningOption | null {
  for (const [key, { flag }] of propertiesOf(optionsJsonSchema(plugin))) {
    if (flag?.listens) return { key, another: `${flag.name} ${flag.listens}` };
  }
  return null;
}
