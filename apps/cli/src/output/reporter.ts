import { type Log, visibleText } from "@lmserv/discovery-core";
import { withoutCredentials } from "@lmserv/discovery-core/transport";
import type { Output } from "../io/io.ts";

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
  /** Has everything from now on say by which file this run is configured; null for none. */
  readonly configuredBy: (file: string | null) => void;
  /** What the transports do; only with `-v`. */
  readonly log: Log;
}

/** A message that names the configuration file in use. */
export function withFile(text: string, file: string | null): string {
  return file === null || text.includes(file) ? text : `${text} (configured by ${file})`;
}

export function createReporter(stderr: Output, { quiet, verbose }: Loudness): Reporter {
  let file: string | null = null;
  const print = (text: string): void => {
    stderr.write(`lmserv: ${visibleText(withoutCredentials(withFile(text, file)))}\n`);
  };
  const printUnless = (silent: boolean, prefix: string) => (text: string) => {
    if (!silent) print(`${prefix}${text}`);
  };
  const log = printUnless(!verbose, "");
  return {
    error: printUnless(false, "error: "),
    warn: printUnless(quiet, "warning: "),
    note: printUnless(quiet, ""),
    configuredBy: (used) => {
      file = used;
    },
    log: (level, message, fields) => log(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`),
  };
}
