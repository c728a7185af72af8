import type { Log } from "@lmserv/discovery-core";
import type { Output } from "./io.ts";
import { printable } from "./printable.ts";

export interface Loudness {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** What the command tells people, on stderr. */
export interface Reporter {
  /** Why the command fails; never silenced. */
  readonly error: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
  /** What the transports do; only with `-v`. */
  readonly log: Log;
}

export function createReporter(stderr: Output, { quiet, verbose }: Loudness): Reporter {
  const print = (text: string): void => {
    stderr.write(`lmserv: ${printable(text)}\n`);
  };
  const printUnless = (silent: boolean, prefix: string) => (text: string) => {
    if (!silent) print(`${prefix}${text}`);
  };
  const log = printUnless(!verbose, "");
  return {
    error: printUnless(false, "error: "),
    warn: printUnless(quiet, "warning: "),
    note: printUnless(quiet, ""),
    log: (level, message, fields) => log(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`),
  };
}
