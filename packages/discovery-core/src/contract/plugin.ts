import type { StandardSchema } from "../options/standard-schema.ts";
import type { Clock } from "../time/clock.ts";
import type { CheckCodes } from "./diagnosis.ts";
import type { WarningCodes } from "./errors.ts";
import type { Identity } from "./identity.ts";
import type { Transport } from "./transport.ts";

/**
 * Export `plugin` of a package, which makes its transport available by name.
 *
 * It is a declaration: its module loads nothing of the transport, which `create` imports. Configuration,
 * flags, help, completion and the doctor derive from it. `@lmserv/discovery-static` has the name `static`;
 * any other plug-in has the whole name of its package, which has a scope or begins with `lmserv-`.
 */
export interface TransportPlugin<Options = unknown> {
  /** Kind of transport, in lower case; its name, unless the user gives another. */
  readonly type: string;
  /** True if its sessions announce; such a transport is never put on standby. */
  readonly announces: boolean;
  /** True if it signs its announcements, so that `create` gets an identity. @default false */
  readonly signs?: boolean;
  /** True if it needs a server that others run: it is examined only if chosen. @default false */
  readonly needsServer?: boolean;
  /** Own codes of its examination, besides the shared ones, as `type/word`. @default none */
  readonly checks?: CheckCodes;
  /** Own codes of its warnings, besides the shared ones, as `type/word`. @default none */
  readonly warnings?: WarningCodes;
  /**
   * Users' options, as an object with camel-case keys.
   *
   * In its JSON Schema, `writeOnly` marks a secret: instead of `key` users write `keyFile`, a file that holds
   * it, or an environment variable. `"format": "file"` marks the name of a file that must exist, `"format":
   * "path"` one that need not. Relative names start at the configuration file. `flag` is an `OptionFlag`.
   */
  readonly options: StandardSchema<Options>;
  /** Option that makes it search harder, for when no node answered. @default none */
  readonly thorough?: {
    readonly option: string;
    /** Effect of the option, such as `ask every address of the subnet`. */
    readonly does: string;
  };
  /** Key that all participants share: the help of `lmserv TYPE keygen`, and the generator. @default none */
  readonly keygen?: { readonly about: string; readonly generate: () => Promise<string> };
  /**
   * Makes a transport; opens nothing.
   *
   * @throws {TypeError | RangeError} for options that the schema cannot rule out; the message begins with the
   * option's key and names the value.
   */
  create(options: Options, context: PluginContext): Transport | Promise<Transport>;
  /** Estimated duration of the first pass over the medium, in ms. @default 0 */
  firstPassMs?(options: Options, context: PluginContext): Promise<number>;
  /**
   * Addresses of the hosts near this machine, with their zones, for transports that examine themselves.
   *
   * @throws `signal.reason` when aborted.
   */
  neighbors?(
    options: Options,
    context: PluginContext & { readonly clock: Clock; readonly signal: AbortSignal },
  ): Promise<readonly string[]>;
}

export interface PluginContext {
  /** Required name of the transport: `via` and `sources[].transport`. */
  readonly name: string;
  /**
   * Resolves with the announcing identity, once the transport opens; null in a program that only watches.
   *
   * @default the options decide, and the transport has an identity of its own
   */
  readonly identity?: (() => Promise<Identity>) | null;
  /** True if a user waits for the first results, so that haste is justified. @default false */
  readonly interactive?: boolean;
  /** Receives the progress of a long first pass over the medium. */
  readonly onProgress?: (progress: PassProgress) => void;
}

export interface PassProgress {
  readonly done: number;
  readonly total: number;
}

/** True for a transport's export `plugin`. */
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
