import { type FlagOption, type TransportFlag, transportFlags } from "@lmserv/discovery-config";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type Command, Option } from "commander";
import { repeatable, single } from "./options.ts";

/**
 * Adds the flags that transports declare, unless the command has one of that name.
 *
 * @param use - Purpose of the command: only flags of use to that are added.
 * @returns a function that reads them once the command line is parsed.
 */
export function addTransportFlags(
  command: Command,
  plugins: readonly TransportPlugin[],
  use: "looking" | "announcing" | "any" = "looking",
): () => readonly FlagOption[] {
  const own = new Set(command.options.map(({ long }) => long));
  const added = transportFlags(plugins.filter(({ announces }) => announces || use !== "announcing"))
    .filter((flag) => !own.has(flag.name) && (use !== "looking" || !flag.announcing))
    .map((flag) => ({ flag, option: optionOf(flag) }));
  for (const { option } of added) command.addOption(option);
  return () =>
    added.flatMap(({ flag, option }) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      return value === undefined ? [] : flag.keys.map((key) => ({ flag: flag.name, key, value }));
    });
}

function optionOf({ name, value, help, types, isList, choices }: TransportFlag): Option {
  const description = `${types.join(", ")}: ${help}`;
  if (value === null) return new Option(name, description);
  const flags = `${name} <${value}>`;
  if (isList) return repeatable(flags, `${description}; repeatable`, (text) => text.split(","));
  const option = single(flags, description, (text) => text);
  return choices ? option.choices(choices) : option;
}
