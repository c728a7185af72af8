import { lanSupport } from "@lmserv/test-netlab";

/** A benchmark as a command. */
export interface Command<Options> {
  /**
   * Null when help is asked for.
   *
   * @throws {RangeError | TypeError} for what the command line must not hold.
   */
  readonly parse: (args: readonly string[]) => Options | null;
  readonly help: string;
  readonly measure: (options: Options) => Promise<void>;
}

/** Runs it; resolves with the exit code: 0 measured, 1 cannot measure here, 2 usage. */
export async function runCommand<Options>({ parse, help, measure }: Command<Options>): Promise<number> {
  let options: Options | null;
  try {
    options = parse(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (!options) {
    process.stdout.write(help);
    return 0;
  }
  const support = await lanSupport();
  if (!support.available) {
    process.stderr.write(`No LAN can be made here: ${support.reason}\n`);
    return 1;
  }
  await measure(options);
  return 0;
}

/** @throws {RangeError} unless the text of an option is an integer in the range. */
export function integerOption(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`--${option} ${text} must be an integer from ${min} to ${max}`);
}
