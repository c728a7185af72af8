import type { CheckCodes } from "./diagnosis.ts";
import type { WarningCodes } from "./errors.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { Transport } from "./transport.ts";

/**
 * What a package exports as `plugin`, so that its transport can be chosen by name.
 *
 * `@lmserv/discovery-static` is chosen as `static`; any other by the whole name of its package, which has a scope or
 * begins with `lmserv-`.
 */
export interface TransportPlugin<Options = unknown> {
  /** The kind of transport, in lower case: its name unless the user gives another. */
  readonly type: string;
  /** Whether its sessions announce; one that does is never put on standby. */
  readonly announces: boolean;
  /** What its examination may find, beside what any may; a code is `type/word`. @default nothing */
  readonly checks?: CheckCodes;
  /** What it may warn of, beside what any may; a code is `type/word`. @default nothing */
  readonly warnings?: WarningCodes;
  /**
   * What users may set, as an object with camel-case keys.
   *
   * In its JSON Schema, `writeOnly` marks a secret: of `key` users write `keyFile`, a file that holds it, or an
   * environment variable. `"format": "file"` marks the name of a file that must be there, `"format": "path"` one
   * that need not; relative ones start at the configuration file.
   */
  readonly options: StandardSchema<Options>;
  /**
   * Makes a transport; opens nothing.
   *
   * @throws {TypeError | RangeError} for options that the schema cannot rule out; the message names the value.
   */
  create(options: Options, context: PluginContext): Transport;
}

export interface PluginContext {
  /** What the transport must be called: `via` and `sources[].transport`. */
  readonly name: string;
  /** Whether somebody waits for what is found first, so that haste is no bad manners. @default false */
  readonly isAwaited?: boolean;
  /** Takes how far the first pass over the medium is, where that takes long. */
  readonly onProgress?: (progress: PassProgress) => void;
}

export interface PassProgress {
  readonly done: number;
  readonly total: number;
}

/** Whether this is what a package of a transport exports. */
export function isTransportPlugin(value: unknown): value is TransportPlugin {
  if (typeof value !== "object" || value === null) return false;
  const { type, announces, options, create } = value as Partial<Record<keyof TransportPlugin, unknown>>;
  return (
    typeof type === "string" &&
    typeof announces === "boolean" &&
    typeof create === "function" &&
    options !== null &&
    (typeof options === "object" || typeof options === "function") &&
    "~standard" in options
  );
}
