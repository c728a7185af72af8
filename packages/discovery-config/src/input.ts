import {
  functionShape,
  type OptionShapes,
  type PassProgress,
  type PluginContext,
} from "@lmserv/discovery-core/transport";
import type { Environment, ReadFile } from "./files/file-search.ts";
import type { PluginTable } from "./plugins/plugins.ts";

export interface ConfigFlags {
  /** `--config`: the file, instead of the first that is found. */
  readonly config?: string;
  /** `--preset` */
  readonly preset?: string;
  /** `--transport`: the names of those that are wanted, whatever else is configured. */
  readonly transports?: readonly string[];
  /** Flags that set an option of every chosen transport that has it. */
  readonly options?: readonly FlagOption[];
  /** Flags of the local endpoint; absent where none is served, so that its files are not read. */
  readonly gateway?: readonly FlagOption[];
}

export interface FlagOption {
  /** As users write it: `--interface`. */
  readonly flag: string;
  /** The option's key as files write it: `interfaces`, or for a secret `keyFile`. */
  readonly key: string;
  /** Text becomes what the option holds, such as a number. */
  readonly value: unknown;
  /** Whether it is no mistake when none of the chosen transports has the option. @default false */
  readonly ifAny?: boolean;
}

export interface ConfigInput {
  readonly flags?: ConfigFlags;
  /** @default none */
  readonly env?: Environment;
  /** What relative paths of flags and environment are relative to. */
  readonly cwd: string;
  /** @default the file system */
  readonly readFile?: ReadFile;
  /** Plug-ins that the program brings along, asked after the project's packages. @default none */
  readonly plugins?: PluginTable;
  /** The transport there is where nothing names any. @default "mdns" */
  readonly defaultTransport?: string;
  /** What to do about a plug-in that is not found, for each type, beside the installation of its package. @default nothing */
  readonly elsewhere?: ReadonlyMap<string, string>;
  /** Folders in whose packages transports are looked for at last. @default none */
  readonly from?: readonly string[];
  /** Who announces, for transports that sign, asked when one opens; null where the program only looks. @default theirs */
  readonly identity?: PluginContext["identity"];
  /** Whether it is only looked at: no package is loaded, and transports of those that need one are left out. @default false */
  readonly inspects?: boolean;
  /** Whether somebody waits for what is found first, as at a terminal. @default false */
  readonly interactive?: boolean;
  /** Takes how far a transport's first pass over its medium is. */
  readonly onProgress?: (transport: string, progress: PassProgress) => void;
}

const text = { type: "string", minLength: 1 } as const;
const map = { type: "code", called: "a Map", has: ["get", "has"] } as const;

/** What of it a program without types may get wrong. */
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
