import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";

export interface Options {
  /** Duration of each steady flood, in seconds. */
  readonly seconds: number;
  /** Of the attacks, those whose name has this in it. */
  readonly only: string;
}

export const usage = `Usage: npm run bench:attack -- [OPTION...]
  --seconds N  how long each steady flood goes on (60)
  --only TEXT  the attacks whose name has this in it (all)
  --help
`;

/**
 * Reads the command line; null when help is asked for.
 *
 * @throws {RangeError | TypeError} that names the value and what is allowed.
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      only: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return { seconds: integerOption("seconds", values.seconds, 10, 3_600), only: values.only };
}
