import { dirname } from "node:path";
import { isTransportPlugin, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import { trustAdvice } from "../files/confinement.ts";
import type { FoundFile } from "../files/file-search.ts";
import type { ConfigInput } from "../input.ts";
import type { Origin } from "../settings/origin.ts";
import type { Path } from "../settings/setting.ts";
import { packageEntry } from "./package-entry.ts";

/** Plug-ins that a program includes, by type. */
export type PluginTable = ReadonlyMap<string, TransportPlugin>;

export interface WantedPlugin {
  readonly type: string;
  /** Origin of its name. */
  readonly origin: Origin;
  readonly path: Path;
}

/** Thrown for a missing plug-in, or when no package may be loaded. */
class MissingPlugin extends ConfigError {}

export function isMissing(error: unknown): error is ConfigError {
  return error instanceof MissingPlugin;
}

/**
 * Loads plug-ins: the program's own first, which no installed package can replace.
 *
 * Others come from the packages of a trusted configuration file's folder, and from those of the program. A
 * file that was only found in the working folder loads no code but the program's own. The packages of the
 * working folder are asked for types that the user typed, and for nothing else.
 */
export class PluginLoader {
  readonly #input: ConfigInput;
  readonly #found: FoundFile | null;

  constructor(input: ConfigInput, found: FoundFile | null) {
    this.#input = input;
    this.#found = found;
  }

  /** True if the program includes it. */
  hasOwn(type: string): boolean {
    return this.#input.plugins?.has(type) ?? false;
  }

  /** @throws {ConfigError} when it is missing, cannot be loaded, or is no plug-in. */
  async load(wanted: WantedPlugin): Promise<TransportPlugin> {
    const own = this.#input.plugins?.get(wanted.type);
    if (own) return own;
    for (const folder of this.#foldersFor(wanted)) {
      const plugin = await importFrom(folder, wanted);
      if (plugin) return plugin;
    }
    throw this.#missing(wanted);
  }

  #foldersFor({ type, origin }: WantedPlugin): readonly string[] {
    const { cwd, plugins, from = [] } = this.#input;
    const found = this.#found;
    const isTyped = origin.kind === "flag";
    // A program without plug-ins of its own has its packages at its place of installation.
    if (found && !found.isTrusted && !isTyped) return plugins ? [] : from;
    if (found?.isTrusted) return [dirname(found.file), ...from];
    if (this.#isLeftOut(type)) return [];
    return isTyped ? [cwd, ...from] : from;
  }

  /** True if another build of the program includes it: it comes with that one, and from nowhere else. */
  #isLeftOut(type: string): boolean {
    return this.#input.elsewhere?.has(type) ?? false;
  }

  #missing({ type, origin, path }: WantedPlugin): ConfigError {
    const { elsewhere, cwd } = this.#input;
    const name = packageName(type);
    const advice = elsewhere?.get(type);
    if (this.#found?.isTrusted === false && origin.kind !== "flag") {
      const { file } = this.#found;
      const reason = `needs the package ${name}, and a file that was only found in the working folder loads no code`;
      return new MissingPlugin({ origin, path, reason, fix: advice ?? trustAdvice(file) });
    }
    if (advice !== undefined && !this.#found?.isTrusted) {
      const reason = `needs the package ${name}, which does not come along`;
      return new MissingPlugin({ origin, path, reason, fix: advice });
    }
    const folder = this.#found ? dirname(this.#found.file) : cwd;
    return new MissingPlugin({
      origin,
      path,
      reason: `needs the package ${name}, which is not installed for ${folder}`,
      fix: `${advice === undefined ? "" : `${advice}, or `}install it: ${installCommand(name)}`,
    });
  }
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
      fix: `install it anew: ${installCommand(name)}`,
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
    fix: "name a package that exports plugin with type, announces, options and create, or a newer version of it",
  });
}

/** A plain word never means just any package of that name, such as the client library `nats`. */
function packageName(type: string): string {
  return type.includes("/") || type.startsWith("lmserv-") ? type : `@lmserv/discovery-${type}`;
}

const packagePattern = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** True if a type can be the name of a package: nothing else is ever loaded. */
export function isPackageName(type: string): boolean {
  return packagePattern.test(type);
}

function installCommand(name: string): string {
  return `npm install ${name}`;
}
