import {
  functionShape,
  type OptionShapes,
  type PassProgress,
  type PluginContext,
} from "@lmserv/discovery-core/transport";
import type { Environment, ReadFile } from "./files/file-search.ts";
import type { PluginTable } from "./plugins/plugins.ts";

export interface ConfigFlags {
  /** File of `--config`, instead of the first that is found. */
  readonly config?: string;
  /** Value of `--preset`. */
  readonly preset?: string;
  /** Names of `--transport`, whatever else is configured. */
  readonly transports?: readonly string[];
  /** Flags that set an option of every chosen transport that has it. */
  readonly options?: readonly FlagOption[];
  /** Flags of the local endpoint; absent if none is served, so that its files are not read. */
  readonly gateway?: readonly FlagOption[];
}

export interface FlagOption {
  /** Flag as users write it: `--interface`. */
  readonly flag: string;
  /** Key of the option as files write it: `interfaces`, or for a secret `keyFile`. */
  readonly key: string;
  /** Text is converted to the option's type, such as a number. */
  readonly value: unknown;
  /** True if it is no mistake when none of the chosen transports has the option. @default false */
  readonly ifAny?: boolean;
}

export interface ConfigInput {
  readonly flags?: ConfigFlags;
  /** @default none */
  readonly env?: Environment;
  /** Base of relative paths in flags and environment. */
  readonly cwd: string;
  /** @default the file system */
  readonly readFile?: ReadFile;
  /** Plug-ins that the program includes, asked after the project's packages. @default none */
  readonly plugins?: PluginTable;
  /** Transport without any configured one. @default "mdns" */
  readonly defaultTransport?: string;
  /** Remedy for a missing plug-in, by type, besides installing its package. @default none */
  readonly elsewhere?: ReadonlyMap<string, string>;
  /** Folders whose packages are searched for transports last. @default none */
  readonly from?: readonly string[];
  /**
   * Announcing identity for transports that sign, asked for when one opens; null in a program that only
   * watches. @default theirs
   */
  readonly identity?: PluginContext["identity"];
  /**
   * True for mere inspection: no package is loaded, and transports that need one are left out. @default false
   */
  readonly inspects?: boolean;
  /** True if a user waits for the first results, as at a terminal. @default false */
  readonly interactive?: boolean;
  /** Receives the progress of a transport's first pass over its medium. */
  readonly onProgress?: (transport: string, progress: PassProgress) => void;
}

const text = { type: "string", minLength: 1 } as const;
const map = { type: "code", called: "a Map", has: ["get", "has"] } as const;

/** Shapes for programs without types. */
export const inputShapes: OptionShapes<Partial<ConfigInput>> = {
  flags: { type: "code", called: "an object", has: [] },
  env: { type: "code", called: "an object", has: [] },
  cwd: text,
  readFile: functionShape,
  plugins: map,
  defaultTransport: text,
  elsewhere: map,
  from: { type: "array", items: text },
  identity: functionShape,
  inspects: { type: "boolean" },
  interactive: { type: "boolean" },
  onProgress: functionShape,
};
