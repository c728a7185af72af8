import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";

export interface Options {
  /** Runs of each command. */
  readonly repeat: number;
  /** File for the samples, as JSON. */
  readonly json: string | undefined;
}

export const usage = `Usage: npm run bench:arp -- [OPTION...]
  --repeat N   runs of each command (10)
  --json FILE  writes every sample to FILE
  --help
`;

const maxRepeat = 1_000;

/**
 * Reads the command line; null when help is asked for.
 *
 * @throws {RangeError | TypeError} that names the value and what is allowed.
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      repeat: { type: "string", default: "10" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return { repeat: integerOption("repeat", values.repeat, 1, maxRepeat), json: values.json };
}
