import { type Log, visibleText } from "@lmserv/discovery-core";
import { withoutCredentials } from "@lmserv/discovery-core/transport";
import type { Output } from "../io/io.ts";

export interface Loudness {
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** Output for people, on stderr. */
export interface Reporter {
  /** Reports the cause of the command's failure; never silenced. */
  readonly error: (text: string) => void;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
  /** Makes all further messages name the configuration file of this run; null for none. */
  readonly configuredBy: (file: string | null) => void;
  /** Log of the transports; only with `-v`. */
  readonly log: Log;
  /** True if a terminal shows work that is under way: neither with `-q` nor with `-v`. */
  readonly showsProgress: boolean;
  /** Calls back before each message; the returned function ends that. */
  readonly beforeMessages: (listener: () => void) => () => void;
}

/** Message that names the configuration file in use. */
export function withFile(text: string, file: string | null): string {
  return file === null || text.includes(file) ? text : `${text} (configured by ${file})`;
}

export function createReporter(stderr: Output, { quiet, verbose }: Loudness): Reporter {
  let file: string | null = null;
  const listeners = new Set<() => void>();
  const print = (text: string): void => {
    for (const listener of listeners) listener();
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
    showsProgress: !quiet && !verbose,
    beforeMessages: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    configuredBy: (used) => {
      file = used;
    },
    log: (level, message, fields) => log(`${level}: ${message}${fields ? ` ${JSON.stringify(fields)}` : ""}`),
  };
}
