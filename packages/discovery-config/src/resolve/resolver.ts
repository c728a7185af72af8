import type { PluginContext, Transport, TransportPlugin } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import type { FoundFile } from "../files/file-search.ts";
import type { ConfigInput, FlagOption } from "../input.ts";
import { isMissing, isPackageName, PluginLoader, type WantedPlugin } from "../plugins/plugins.ts";
import { checkTransport, frameKeys, textOf, transportShape } from "../schema/frame.ts";
import { type JsonSchema, optionsJsonSchema, propertiesOf, writableKeys } from "../schema/json-schema.ts";
import {
  type EnvironmentSetting,
  environmentGroup,
  isSpelling,
  typedValue,
} from "../settings/environment.ts";
import { assertFallbacks, type Fallback, fallbackOf } from "../settings/fallback.ts";
import { checkOptions, type Files, fillIn } from "../settings/options.ts";
import { assertOwnSecrets } from "../settings/own-secrets.ts";
import {
  type Group,
  groupOf,
  mergeGroups,
  nearestAt,
  type Path,
  settingOf,
  without,
} from "../settings/setting.ts";
import { listSettings } from "../settings/settings.ts";
import type { Choice } from "./choice.ts";
import { primaryType } from "./preset.ts";
import type { ResolvedConfig, ResolvedSetting, ResolvedTransport } from "./resolved.ts";

const frame: JsonSchema = transportShape;

export interface ResolverContext {
  readonly files: Files;
  /** Configuration file, or null without one. */
  readonly found: FoundFile | null;
  readonly variables: readonly EnvironmentSetting[];
  /** Receives warnings of likely mistakes. */
  readonly warnings: string[];
}

/** Resolves one transport after the other, and checks them together at the end. */
export class Resolver {
  readonly #input: ConfigInput;
  readonly #variables: readonly EnvironmentSetting[];
  readonly #files: Files;
  readonly #transports: ResolvedTransport[] = [];
  readonly #fallbacks: Fallback[] = [];
  readonly #settings: ResolvedSetting[] = [];
  /** Optional ones that are not installed. */
  readonly #left: { readonly type: string; readonly error: ConfigError }[] = [];
  readonly #warnings: string[];
  readonly #usedFlags = new Set<string>();
  readonly #loader: PluginLoader;

  constructor(input: ConfigInput, { files, found, variables, warnings }: ResolverContext) {
    this.#input = input;
    this.#variables = variables;
    this.#loader = new PluginLoader(input, found);
    this.#files = files;
    this.#warnings = warnings;
  }

  async add(name: string, configured: Group): Promise<void> {
    const path = ["transports", name];
    const variables = this.#variables.filter(({ transport }) => isSpelling(transport, name));
    const framed = overlaid(configured, environmentGroup(variables, frame));
    const wanted = wantedBy(name, framed, path);
    if (this.#input.inspects && !this.#loader.hasOwn(wanted.type)) return this.#list(framed, wanted);
    const plugin = await this.#load(framed, wanted);
    if (!plugin) return;
    const schema = optionsJsonSchema(plugin);
    const merged = this.#merge(configured, variables, schema, path);
    const { foundFile } = this.#files;
    if (foundFile !== null) assertOwnSecrets(merged, schema, { path, file: foundFile });
    const options = await fillIn(without(merged, frameKeys), schema, path, this.#files);
    const value = await checkOptions(plugin, options, path);
    const fallback = fallbackOf(merged, path, plugin.announces);
    if (fallback) this.#fallbacks.push(fallback);
    this.#settings.push(...listSettings(merged, withFrame(schema, name), path));
    const { type, announces } = plugin;
    const context = this.#contextOf(plugin, name);
    const transport = await create(plugin, value, context, merged);
    this.#transports.push({
      name,
      type,
      announces,
      plugin,
      afterMs: fallback?.afterMs ?? null,
      transport,
      firstPassMs: async () => (await plugin.firstPassMs?.(value, context)) ?? 0,
      neighbors: async (clock, signal) =>
        (await plugin.neighbors?.(value, { ...context, clock, signal })) ?? [],
    });
  }

  finish(choice: Choice): Omit<ResolvedConfig, "file" | "gateway"> {
    const [left] = this.#left;
    if (left && this.#transports.length === 0) throw left.error;
    const unused = this.#input.flags?.options?.find(
      ({ flag, ifAny }) => !(ifAny || this.#usedFlags.has(flag)),
    );
    if (unused) throw nobodyHas(unused, choice);
    const { names, origin } = choice;
    return {
      transports: this.#withFallbacks(choice),
      settings: [{ path: "transports", value: names, isSecret: false, origin }, ...this.#settings],
      warnings: [...this.#left.map(({ error }) => error.message), ...this.#warnings],
    };
  }

  /** Without the primary, unchosen or not installed, there is nothing to wait for. */
  #withFallbacks({ origin }: Choice): readonly ResolvedTransport[] {
    const hasPrimary = this.#transports.some(({ type, afterMs }) => type === primaryType && afterMs === null);
    const isChosen = origin.kind === "flag" || origin.kind === "environment";
    const isLeftOut = this.#left.some(({ type }) => type === primaryType);
    if (hasPrimary || !(isChosen || isLeftOut)) {
      assertFallbacks(this.#fallbacks, hasPrimary);
      return this.#transports;
    }
    return this.#transports.map((transport) => ({ ...transport, afterMs: null }));
  }

  /**
   * Null for one that is left out: an optional one that is not installed, or any foreign one during
   * inspection.
   */
  async #load(group: Group, wanted: WantedPlugin): Promise<TransportPlugin | null> {
    try {
      return await this.#loader.load(wanted);
    } catch (error) {
      const optional = nearestAt(group, ["optional"]);
      const isOptional = optional.kind === "value" && optional.value === true;
      if (!(isOptional && isMissing(error))) throw error;
      this.#left.push({ type: wanted.type, error });
      return null;
    }
  }

  /** Lists the settings of a transport whose options are unknown, since its package is not loaded. */
  #list(group: Group, { type, path }: WantedPlugin): void {
    const listed = listSettings(group, withFrame({}, path.at(-1) ?? ""), path);
    // Any variable of the environment may be a secret.
    const hide = (one: ResolvedSetting): ResolvedSetting =>
      one.origin.kind === "environment" ? { ...one, value: null, isSecret: true } : one;
    this.#settings.push(...listed.map(hide));
    this.#warnings.push(
      `${path.join(".")} is of the package of ${type}, which is not loaded to look at it: its defaults are not shown`,
    );
  }

  #merge(configured: Group, variables: readonly EnvironmentSetting[], schema: JsonSchema, path: Path): Group {
    const properties = { ...schema.properties, ...frame.properties };
    const environment = environmentGroup(variables, { ...schema, properties });
    const merged = overlaid(overlaid(configured, environment), this.#flagGroup(schema));
    // Keys of the file were checked with the file.
    const isFramed = frameKeys.some((key) => environment?.entries.has(key));
    if (isFramed) checkTransport(merged, path);
    return merged;
  }

  #flagGroup(schema: JsonSchema): Group | null {
    const { flags = {} } = this.#input;
    const keys = writableKeys(schema);
    const applying = (flags.options ?? []).filter(({ key }) => keys.includes(key));
    for (const { flag } of applying) this.#usedFlags.add(flag);
    const [first] = applying;
    if (!first) return null;
    const properties = propertiesOf(schema);
    const entries = applying.map(({ flag, key, value }) => {
      const typed = typedValue(value, properties.get(key) ?? {});
      return [key, settingOf(typed, { kind: "flag", flag })] as const;
    });
    return groupOf(entries, { kind: "flag", flag: first.flag });
  }

  #contextOf({ signs }: TransportPlugin, name: string): PluginContext {
    const { interactive = false, identity, onProgress } = this.#input;
    return {
      name,
      interactive,
      ...(signs && identity !== undefined && { identity }),
      ...(onProgress && { onProgress: onProgress.bind(null, name) }),
    };
  }
}

/** @throws {ConfigError} for options that the plug-in refuses when it makes the transport. */
async function create(
  plugin: TransportPlugin,
  options: unknown,
  context: PluginContext,
  { entries, origin }: Group,
): Promise<Transport> {
  const { name } = context;
  const path = ["transports", name];
  try {
    const transport = await plugin.create(options, context);
    if (transport.name === name) return transport;
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const fix = `change it in the options of ${name}`;
    // A message begins with the option that it concerns.
    const [key = ""] = /^[a-z]\w*/i.exec(error.message) ?? [];
    const blamed = entries.get(key)?.origin ?? entries.get(`${key}File`)?.origin ?? origin;
    const reason = `cannot be: ${error.message}`;
    throw new ConfigError({ origin: blamed, path, reason, fix, cause: error });
  }
  const reason = `is made by the plug-in ${plugin.type} under another name`;
  throw new ConfigError({
    origin,
    path,
    reason,
    fix: "tell its author that create must use the name it is given",
  });
}

/** @throws {ConfigError} for a type that can be no package. */
export function wantedBy(name: string, group: Group, path: Path): WantedPlugin {
  const type = textOf(group, "type") ?? name;
  const wanted = { type, origin: nearestAt(group, ["type"]).origin, path };
  if (isPackageName(type)) return wanted;
  const reason = `is ${JSON.stringify(type)}, which is no name of a package`;
  throw new ConfigError({ ...wanted, path: [...path, "type"], reason, fix: "name an installed package" });
}

function overlaid(lower: Group, upper: Group | null): Group {
  // The group keeps the place of its configuration, whatever changes its values.
  return upper ? { ...mergeGroups(lower, upper), origin: lower.origin } : lower;
}

function withFrame(schema: JsonSchema, name: string): JsonSchema {
  const frame = { type: { default: name }, when: { default: "always" } };
  return { ...schema, properties: { ...frame, ...schema.properties } };
}

function nobodyHas({ flag, key }: FlagOption, { names }: Choice): ConfigError {
  return new ConfigError({
    origin: { kind: "flag", flag },
    path: [],
    reason: `none of the chosen transports (${names.join(", ")}) has the option ${key}`,
    fix: "leave it out, or choose a transport that has it",
  });
}
