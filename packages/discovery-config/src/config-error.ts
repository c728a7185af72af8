import { withoutCredentials } from "@lmserv/discovery-core/transport";
import { formatOrigin, type Origin } from "./settings/origin.ts";

export interface ConfigFault {
  /** Where the value stands, or null where no value is to blame. */
  readonly origin: Origin | null;
  /** Such as `["transports", "arp", "sweep"]`; empty for the whole. */
  readonly path: readonly string[];
  /** What is wrong, to be read after the path. */
  readonly reason: string;
  /** What to do about it. */
  readonly mend: string;
  readonly cause?: unknown;
}

/** A mistake in the configuration; `message` says where, what, why and what to do. Nothing was started. */
export class ConfigError extends TypeError {
  override readonly name = "ConfigError";
  readonly origin: Origin | null;
  /** Such as `transports.arp.sweep`; empty for the whole. */
  readonly path: string;
  readonly reason: string;
  readonly mend: string;
  /** The configuration file that was in use, whether or not the mistake is in it; null when there was none. */
  inUse: string | null = null;

  constructor({ origin, path, reason, mend, cause }: ConfigFault) {
    const where = origin === null ? "" : `${formatOrigin(origin)}: `;
    const what = path.length === 0 ? "" : `${path.join(".")} `;
    super(
      withoutCredentials(`${where}${what}${reason}; ${mend}`),
      cause === undefined ? undefined : { cause },
    );
    this.origin = origin;
    this.path = path.join(".");
    this.reason = reason;
    this.mend = mend;
  }

  /** The configuration file, or null when the fault is not in one. */
  get file(): string | null {
    return this.origin?.kind === "file" ? this.origin.file : null;
  }

  /** The line of the file, from 1, or null when the fault is not in one. */
  get line(): number | null {
    return this.origin?.kind === "file" ? this.origin.line : null;
  }
}

/** Whether `error` is a `ConfigError`, of whichever copy of this package. */
export function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && error.name === "ConfigError" && "mend" in error;
}
