import {
  type ConfigError,
  type ConfigFlags,
  type ConfigInput,
  composeConfigured,
  isConfigError,
  primaryType,
  type ResolvedConfig,
  resolveConfig,
  transportFlags,
} from "@lmserv/discovery-config";

export { foreignPlugins as findForeignPlugins } from "@lmserv/discovery-config";

import type {
  PassProgress,
  PluginContext,
  Transport,
  TransportPlugin,
} from "@lmserv/discovery-core/transport";
import type { Io } from "../io/io.ts";
import type { Request } from "../options/request.ts";
import { UsageError } from "../options/usage-error.ts";
import { type Reporter, withFile } from "../output/reporter.ts";

export interface ConfigurationOptions {
  /** True for mere inspection, so that no package is loaded. */
  readonly inspects?: boolean;
  /** True if a user waits for the results. */
  readonly interactive?: boolean;
  /** Identity of the announcer, or null for a command that only watches. @default undefined */
  readonly identity?: PluginContext["identity"];
  readonly onProgress?: (progress: PassProgress) => void;
}

/** Joint result of flags, environment and file; nothing is opened. */
export interface Configuration extends ResolvedConfig {
  /** Transports to open. */
  readonly composed: readonly Transport[];
}

/**
 * Resolves the configuration, and reports its warnings; from then on the reporter names its file.
 *
 * @throws {UsageError} for a mistake in flags, environment or file.
 */
export async function configure(
  { flags }: Request,
  io: Io,
  reporter: Reporter,
  { interactive = false, inspects = false, identity, onProgress }: ConfigurationOptions = {},
): Promise<Configuration> {
  try {
    const config = await resolveConfig({
      ...inputOf(flags, io),
      interactive,
      inspects,
      ...(identity !== undefined && { identity }),
      ...(onProgress && { onProgress: (_, progress) => onProgress(progress) }),
    });
    reporter.configuredBy(config.file);
    for (const warning of config.warnings) reporter.warn(warning);
    return { ...config, composed: composeConfigured(config.transports) };
  } catch (error) {
    if (isConfigError(error))
      throw new UsageError(describeConfigError(error, io.plugins.values()), { cause: error });
    throw error;
  }
}

/** Joins flags with the environment, the folder and the plug-ins of the command. */
export function inputOf(flags: ConfigFlags, io: Io): ConfigInput {
  const { cwd, env, from, plugins, elsewhere, readFile } = io;
  const [first = primaryType] = plugins.keys();
  const defaultTransport = plugins.has(primaryType) ? primaryType : first;
  return { flags, cwd, env, from, plugins, defaultTransport, elsewhere, readFile };
}

function describeConfigError(error: ConfigError, plugins: Iterable<TransportPlugin>): string {
  return withFile(strayFlag(error, plugins) ?? error.message, error.inUse);
}

/** Transports that have a flag which none of the chosen ones has. */
function strayFlag({ origin, path }: ConfigError, plugins: Iterable<TransportPlugin>): string | null {
  if (path !== "" || origin?.kind !== "flag") return null;
  const { types = [] } = transportFlags(plugins).find(({ name }) => name === origin.flag) ?? {};
  const [first] = types;
  if (first === undefined) return null;
  return `option '${origin.flag}' is for the transport ${anyOf(types)}: add it, as in --transport ${primaryType},${first}`;
}

/** List such as `mesh, etcd or nats`. */
function anyOf(types: readonly string[]): string {
  const last = types.at(-1) ?? "";
  return types.length > 1 ? `${types.slice(0, -1).join(", ")} or ${last}` : last;
}

/** Duration of the first pass of all, with the wait for a silent mDNS, in ms. */
export async function firstPassMs({ transports }: ResolvedConfig): Promise<number> {
  const passes = transports.map(async (one) => (one.afterMs ?? 0) + (await one.firstPassMs()));
  return Math.max(0, ...(await Promise.all(passes)));
}

export function namesOf({ transports }: ResolvedConfig): readonly string[] {
  return transports.map(({ name }) => name);
}

/** Used interfaces, by name or address; none if a transport uses all. */
export function interfacesOf({ transports, settings }: ResolvedConfig, request: Request): readonly string[] {
  if (request.interfaces.length > 0) return request.interfaces;
  const lists = transports.map(({ name }) => {
    const path = `transports.${name}.interfaces`;
    const value = settings.find((setting) => setting.path === path)?.value;
    return Array.isArray(value) ? value.map(String) : [];
  });
  return lists.some((list) => list.length === 0) ? [] : [...new Set(lists.flat())];
}
