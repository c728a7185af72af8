import type { StandardSchema } from "../options/standard-schema.ts";
import type { Clock } from "../time/clock.ts";
import type { CheckCodes } from "./diagnosis.ts";
import type { WarningCodes } from "./errors.ts";
import type { Identity } from "./identity.ts";
import type { Transport } from "./transport.ts";

/**
 * What a package exports as `plugin`, so that its transport can be chosen by name.
 *
 * It is a declaration: its module loads nothing of the transport, which `create` imports. Configuration, flags, help,
 * completion and the doctor follow from it. `@lmserv/discovery-static` is chosen as `static`; any other by the whole
 * name of its package, which has a scope or begins with `lmserv-`.
 */
export interface TransportPlugin<Options = unknown> {
  /** The kind of transport, in lower case: its name unless the user gives another. */
  readonly type: string;
  /** Whether its sessions announce; one that does is never put on standby. */
  readonly announces: boolean;
  /** Whether it signs what it announces, so that `create` is given an identity. @default false */
  readonly signs?: boolean;
  /** Whether it needs a server that others run: it is examined only where it was chosen. @default false */
  readonly needsServer?: boolean;
  /** What its examination may find, beside what any may; a code is `type/word`. @default nothing */
  readonly checks?: CheckCodes;
  /** What it may warn of, beside what any may; a code is `type/word`. @default nothing */
  readonly warnings?: WarningCodes;
  /**
   * What users may set, as an object with camel-case keys.
   *
   * In its JSON Schema, `writeOnly` marks a secret: of `key` users write `keyFile`, a file that holds it, or an
   * environment variable. `"format": "file"` marks the name of a file that must be there, `"format": "path"` one
   * that need not; relative ones start at the configuration file. `flag` is an `OptionFlag`.
   */
  readonly options: StandardSchema<Options>;
  /** The switch among its options that has it look harder, for where nobody answered. @default none */
  readonly thorough?: {
    readonly option: string;
    /** Such as `ask every address of the subnet`. */
    readonly does: string;
  };
  /** A key that all who take part share: what the command says of `lmserv TYPE keygen`, and a new key. @default none */
  readonly keygen?: { readonly about: string; readonly generate: () => Promise<string> };
  /**
   * Makes a transport; opens nothing.
   *
   * @throws {TypeError | RangeError} for options that the schema cannot rule out; the message begins with the option's
   *   key and names the value.
   */
  create(options: Options, context: PluginContext): Transport | Promise<Transport>;
  /** How long the first pass over the medium takes, about, in ms. @default 0 */
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
  /** What the transport must be called: `via` and `sources[].transport`. */
  readonly name: string;
  /**
   * Resolves with who announces, once the transport opens; null where the program only looks.
   *
   * @default the options decide, and the transport has an identity of its own
   */
  readonly identity?: (() => Promise<Identity>) | null;
  /** Whether somebody waits for what is found first, so that haste is no bad manners. @default false */
  readonly interactive?: boolean;
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
