import { type ConfigFlags, type FlagOption, presetNames, primaryType } from "@lmserv/discovery-config";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Io } from "../io/io.ts";
import type { Request } from "./request.ts";
import { parseInterface } from "./values.ts";

/** Option that may be given once. */
export function single<T>(flags: string, description: string, parse: (text: string) => T): Option {
  let isGiven = false;
  return new Option(flags, description).argParser((text: string): T => {
    if (isGiven) throw new InvalidArgumentError("It may be given only once.");
    isGiven = true;
    return checked(() => parse(text));
  });
}

/** Option that may be given several times, with different values; they become one list. */
export function repeatable(
  flags: string,
  description: string,
  parse: (text: string) => readonly string[],
): Option {
  const values: string[] = [];
  return new Option(flags, description).argParser((text: string): readonly string[] => {
    for (const value of checked(() => parse(text))) {
      if (values.includes(value)) throw new InvalidArgumentError(`${JSON.stringify(value)} is given twice.`);
      values.push(value);
    }
    return values;
  });
}

/** Lets commander name the option and its invalid value. */
function checked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

export interface SharedFlags {
  readonly config?: string;
  readonly preset?: string;
  readonly transport?: readonly string[];
  readonly interface?: readonly string[];
  readonly quiet?: true;
  readonly verbose?: true;
}

/** Adds the options that every command has. */
export function addSharedOptions(command: Command, { networkInterfaces }: Io): Command {
  return command
    .addOption(
      single(
        "--config <file>",
        "the configuration file (default: lmserv.config.jsonc, if any)",
        (text) => text,
      ),
    )
    .addOption(
      single("--preset <name>", `transports for a network: ${presetNames.join(", ")}`, (text) => text),
    )
    .addOption(
      repeatable(
        "--transport <names>",
        `how, with commas between (default: as configured, or ${primaryType})`,
        (text) => text.split(","),
      ),
    )
    .addOption(
      repeatable("--interface <name>", "where, by name or address; repeatable (default: all)", (text) => [
        parseInterface(text, networkInterfaces()),
      ]),
    )
    .addOption(new Option("-q, --quiet", "print nothing on stderr but errors").conflicts("verbose"))
    .option("-v, --verbose", "print on stderr what the transports do");
}

/** @param options - Options of transports that flags of the command set, with their values. */
export function sharedRequest(flags: SharedFlags, options: readonly FlagOption[] = []): Request {
  return {
    flags: configFlags(flags, options),
    interfaces: flags.interface ?? [],
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
  };
}

function configFlags(
  { config, preset, transport, interface: interfaces }: SharedFlags,
  options: readonly FlagOption[],
): ConfigFlags {
  const shared = { flag: "--interface", key: "interfaces", value: interfaces, ifAny: true };
  const all = [shared, ...options];
  return {
    ...(config !== undefined && { config }),
    ...(preset !== undefined && { preset }),
    ...(transport && { transports: transport }),
    options: all.filter(({ value }) => value !== undefined),
  };
}
