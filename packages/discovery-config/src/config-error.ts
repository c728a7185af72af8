import { withoutCredentials } from "@lmserv/discovery-core/transport";
import { formatOrigin, type Origin } from "./settings/origin.ts";

export interface ConfigFault {
  /** Origin of the value, or null without a faulty value. */
  readonly origin: Origin | null;
  /** Path such as `["transports", "arp", "sweep"]`; empty for the whole. */
  readonly path: readonly string[];
  /** Fault, as a predicate of the path. */
  readonly reason: string;
  /** Remedy. */
  readonly fix: string;
  readonly cause?: unknown;
}

/**
 * Mistake in the configuration; `message` has its place, the path, the fault and the remedy. Nothing was
 * started.
 */
export class ConfigError extends TypeError {
  override readonly name = "ConfigError";
  readonly origin: Origin | null;
  /** Path such as `transports.arp.sweep`; empty for the whole. */
  readonly path: string;
  readonly reason: string;
  readonly fix: string;
  /** Configuration file in use, even if the mistake is elsewhere; null without one. */
  inUse: string | null = null;

  constructor({ origin, path, reason, fix, cause }: ConfigFault) {
    const where = origin === null ? "" : `${formatOrigin(origin)}: `;
    const what = path.length === 0 ? "" : `${path.join(".")} `;
    super(
      withoutCredentials(`${where}${what}${reason}; ${fix}`),
      cause === undefined ? undefined : { cause },
    );
    this.origin = origin;
    this.path = path.join(".");
    this.reason = reason;
    this.fix = fix;
  }

  /** Configuration file of the fault, or null if it is elsewhere. */
  get file(): string | null {
    return this.origin?.kind === "file" ? this.origin.file : null;
  }

  /** Line of the fault in the file, from 1, or null if it is elsewhere. */
  get line(): number | null {
    return this.origin?.kind === "file" ? this.origin.line : null;
  }
}

/** True for a `ConfigError` of any copy of this package. */
export function isConfigError(error: unknown): error is ConfigError {
  return error instanceof Error && error.name === "ConfigError" && "fix" in error;
}
