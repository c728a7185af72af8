import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type JsonSchema, optionsJsonSchema, propertiesOf } from "./json-schema.ts";

/** A flag that sets an option of every chosen transport that declares it. */
export interface TransportFlag {
  /** Such as `--seed`. */
  readonly name: string;
  readonly help: string;
  /** What follows it, in a word; null where nothing does. */
  readonly value: string | null;
  /** Whether it may be given several times, and with commas between values. */
  readonly isList: boolean;
  /** The words that may follow; null where others may. */
  readonly choices: readonly string[] | null;
  /** Whether it is of use only where nodes are announced. */
  readonly announcing: boolean;
  /** The kinds of transport that have it. */
  readonly types: readonly string[];
  /** The options that it sets, as files write them. */
  readonly keys: readonly string[];
}

/** The flags that plug-ins declare, each once, in their order; what several share is said in the words of the first. */
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

/** An option that holds addresses to listen on, with how to set another. */
export interface ListeningOption {
  readonly key: string;
  /** `--listen 0.0.0.0:7947` */
  readonly another: string;
}

/** The option of a plug-in that holds the addresses it listens on; null where none does. */
export function listeningOption(plugin: TransportPlugin): ListeningOption | null {
  for (const [key, { flag }] of propertiesOf(optionsJsonSchema(plugin))) {
    if (flag?.listens) return { key, another: `${flag.name} ${flag.listens}` };
  }
  return null;
}
