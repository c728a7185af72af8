import { isTransportPlugin, type TransportPlugin } from "@lmserv/discovery-core";
import { ConfigError } from "./config-error.ts";
import type { Origin } from "./origin.ts";
import { packageEntry } from "./package-entry.ts";
import type { Path } from "./setting.ts";

/** Plug-ins that a program brings along, by type; each is loaded when it is chosen. */
export type PluginTable = ReadonlyMap<string, () => Promise<TransportPlugin>>;

/** Where plug-ins are looked for: in a folder's installed packages, or among what a program brings along. */
export type PluginPlace = string | PluginTable;

export interface WantedPlugin {
  readonly type: string;
  /** What names it. */
  readonly origin: Origin;
  readonly path: Path;
}

/** Loads the plug-in of a type from the first place that has it, or returns null when none has. */
export async function loadPlugin(
  wanted: WantedPlugin,
  places: readonly PluginPlace[],
): Promise<TransportPlugin | null> {
  for (const place of places) {
    const plugin =
      typeof place === "string" ? await importFrom(place, wanted) : await place.get(wanted.type)?.();
    if (plugin) return plugin;
  }
  return null;
}

async function importFrom(folder: string, wanted: WantedPlugin): Promise<TransportPlugin | null> {
  const name = packageName(wanted.type);
  const entry = packageEntry(name, folder);
  return entry === null ? null : pluginOf(await importEntry(entry, name, wanted), name, wanted);
}

async function importEntry(entry: string, name: string, { origin, path }: WantedPlugin): Promise<unknown> {
  try {
    return await import(entry);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const reason = `needs the package ${name}, which cannot be loaded: ${why}`;
    throw new ConfigError({
      origin,
      path,
      reason,
      mend: `install it anew: ${installCommand(name)}`,
      cause: error,
    });
  }
}

function pluginOf(module: unknown, name: string, { origin, path }: WantedPlugin): TransportPlugin {
  const { plugin } = module as { readonly plugin?: unknown };
  if (isTransportPlugin(plugin)) return plugin;
  throw new ConfigError({
    origin,
    path,
    reason: `needs the package ${name}, which exports no plugin of a transport`,
    mend: "name a package that exports plugin with type, announces, options and create, or a newer version of it",
  });
}

/** A plain word never means just any package of that name, such as the client library `nats`. */
function packageName(type: string): string {
  return type.includes("/") || type.startsWith("lmserv-") ? type : `@lmserv/discovery-${type}`;
}

const packagePattern = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** Whether a type can be the name of a package: nothing else is ever loaded. */
export function isPackageName(type: string): boolean {
  return packagePattern.test(type);
}

/** @param advice - What to do beside installing it, to be read before that. */
export function missingPlugin(
  { type, origin, path }: WantedPlugin,
  folder: string,
  advice?: string,
): ConfigError {
  const name = packageName(type);
  return new ConfigError({
    origin,
    path,
    reason: `needs the package ${name}, which is not installed for ${folder}`,
    mend: `${advice === undefined ? "" : `${advice}, or `}install it: ${installCommand(name)}`,
  });
}

function installCommand(name: string): string {
  return `npm install ${name}`;
}
