import {
  type ConfigError,
  composeConfigured,
  isConfigError,
  type ResolvedConfig,
  type ResolvedTransport,
  resolveConfig,
} from "@lmserv/discovery-config";
import type { PassProgress, Transport } from "@lmserv/discovery-core";
import type { Io } from "./io.ts";
import { type MeshPart, withMeshPart } from "./mesh-part.ts";
import { type Reporter, withFile } from "./reporter.ts";
import type { Request } from "./request.ts";
import { UsageError } from "./usage-error.ts";

export interface ConfigurationOptions {
  /** Whether it is only looked at, so that no package is loaded. */
  readonly inspects?: boolean;
  /** Whether somebody waits for what is found. */
  readonly isAwaited?: boolean;
  readonly mesh?: MeshPart;
  readonly onProgress?: (progress: PassProgress) => void;
}

/** What flags, environment and file say together; nothing is opened. */
export interface Configuration extends ResolvedConfig {
  /** What to open. */
  readonly composed: readonly Transport[];
}

/**
 * Resolves the configuration, and says what is odd about it; from then on the reporter names its file.
 *
 * @throws {UsageError} for a mistake in flags, environment or file.
 */
export async function configure(
  { flags }: Request,
  { cwd, env, from, plugins, elsewhere, readFile }: Io,
  reporter: Reporter,
  { isAwaited = false, inspects = false, mesh, onProgress }: ConfigurationOptions = {},
): Promise<Configuration> {
  const [first = "mdns"] = plugins.keys();
  const defaultTransport = plugins.has("mdns") ? "mdns" : first;
  const input = {
    flags,
    cwd,
    env,
    from,
    plugins,
    defaultTransport,
    elsewhere,
    readFile,
    isAwaited,
    inspects,
  };
  try {
    const config = await resolveConfig({
      ...input,
      ...(mesh && { adapt: (plugin) => withMeshPart(plugin, mesh) }),
      ...(onProgress && { onProgress: (_, progress) => onProgress(progress) }),
    });
    reporter.configuredBy(config.file);
    for (const warning of config.warnings) reporter.warn(warning);
    return { ...config, composed: composeConfigured(config.transports) };
  } catch (error) {
    if (isConfigError(error)) throw new UsageError(describeMistake(error), { cause: error });
    throw error;
  }
}

/** Whom a flag is for, where none of the chosen transports has such an option. */
const advice: ReadonlyMap<string, string> = new Map([
  ...["--sweep", "--ports"].map((flag) => [flag, "needs --transport arp, or mdns,arp"] as const),
  ...["--seed", "--key-file", "--tls-only", "--listen"].map(
    (flag) => [flag, "is for the transport mesh: add --transport mesh"] as const,
  ),
  ["--cluster", "is for the transport mesh, etcd or nats: add --transport mesh"],
  ["--endpoint", "is for the transport etcd or nats: add --transport etcd"],
]);

function describeMistake(error: ConfigError): string {
  return withFile(strayFlag(error) ?? error.message, error.inUse);
}

function strayFlag({ origin, path }: { origin: { kind: string; flag?: string } | null; path: string }) {
  const flag = path === "" && origin?.kind === "flag" ? origin.flag : undefined;
  const reason = flag === undefined ? undefined : advice.get(flag);
  return reason === undefined ? null : `option '${flag}' ${reason}`;
}

/** How long the first pass of all takes, those that wait for mDNS to be silent included, in ms. */
export function firstPassMs({ transports }: ResolvedConfig): number {
  return Math.max(0, ...transports.map((one) => (one.afterMs ?? 0) + ownPassMs(one)));
}

/** A transport may know how long its first pass over the medium takes. */
function ownPassMs({ transport }: ResolvedTransport): number {
  const { firstPassMs } = transport as Transport & { readonly firstPassMs?: unknown };
  return typeof firstPassMs === "function" ? Number(firstPassMs.call(transport)) : 0;
}

export function namesOf({ transports }: ResolvedConfig): readonly string[] {
  return transports.map(({ name }) => name);
}

/** The interfaces that are used, by name or address; none when there is a transport that uses all. */
export function interfacesOf({ transports, settings }: ResolvedConfig, request: Request): readonly string[] {
  if (request.interfaces.length > 0) return request.interfaces;
  const lists = transports.map(({ name }) => {
    const path = `transports.${name}.interfaces`;
    const value = settings.find((setting) => setting.path === path)?.value;
    return Array.isArray(value) ? value.map(String) : [];
  });
  return lists.some((list) => list.length === 0) ? [] : [...new Set(lists.flat())];
}

export function isSweeping({ settings }: ResolvedConfig): boolean {
  return settings.some(({ path, value }) => path.endsWith(".sweep") && value === true);
}
