import { type Command, InvalidArgumentError, Option } from "commander";
import type { Io } from "./io.ts";
import type { Request } from "./request.ts";
import { parseInterface, parseTransports } from "./values.ts";

/** An option that may be given once. */
export function single<T>(flags: string, description: string, parse: (text: string) => T): Option {
  let isGiven = false;
  return new Option(flags, description).argParser((text: string): T => {
    if (isGiven) throw new InvalidArgumentError("It may be given only once.");
    isGiven = true;
    return checked(() => parse(text));
  });
}

/** An option that may be given several times, with different values; they become one list. */
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

/** Lets commander name the option and the value that a parser complains of. */
function checked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

export interface SharedFlags {
  readonly transport?: readonly string[];
  readonly interface?: readonly string[];
  readonly quiet?: true;
  readonly verbose?: true;
}

/** What is used unless `--transport` says otherwise. */
const usualTransports: readonly string[] = ["mdns"];

/** The options that every command has; `usual` are the transports that it uses unless told otherwise. */
export function addSharedOptions(
  command: Command,
  { transports, networkInterfaces }: Io,
  usual: readonly string[] = usualTransports,
): Command {
  return command
    .addOption(
      repeatable("--transport <names>", `how, with commas between (default: ${usual.join(",")})`, (text) =>
        parseTransports(text, transports),
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

export function sharedRequest(flags: SharedFlags, usual: readonly string[] = usualTransports): Request {
  return {
    transports: flags.transport ?? usual,
    interfaces: flags.interface ?? [],
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
  };
}
