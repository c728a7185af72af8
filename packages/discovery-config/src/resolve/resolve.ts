import { readFile as readFileOfSystem } from "node:fs/promises";
import { dirname } from "node:path";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import { type FoundFile, findFile, type ReadFile } from "../files/file-search.ts";
import type { ConfigInput } from "../input.ts";
import { PluginLoader } from "../plugins/plugins.ts";
import { checkDocument } from "../schema/frame.ts";
import { gatewaySchema } from "../schema/gateway-shape.ts";
import { environmentSettings } from "../settings/environment.ts";
import type { Files } from "../settings/options.ts";
import type { Group } from "../settings/setting.ts";
import { listSettings } from "../settings/settings.ts";
import {
  assertKnown,
  type Choice,
  chooseTransports,
  configuredGroup,
  configuredTransports,
} from "./choice.ts";
import { gatewayGroup, resolveGateway } from "./gateway.ts";
import { primaryType } from "./preset.ts";
import type { ResolvedConfig } from "./resolved.ts";
import { Resolver, wantedBy } from "./resolver.ts";

/**
 * Merges flags, environment, file, preset and defaults into one configuration; the first wins.
 *
 * Reads files and loads packages; starts nothing.
 *
 * @throws {ConfigError} for the first mistake, with its place, the fault and the remedy.
 */
export async function resolveConfig(input: ConfigInput): Promise<ResolvedConfig> {
  const { flags = {}, env = {}, cwd, readFile = readFileAsText } = input;
  const found = await findFile({ flag: flags.config, env, cwd, readFile });
  try {
    return await resolveFound(found, { ...input, env, readFile });
  } catch (error) {
    if (error instanceof ConfigError) error.inUse = found?.file ?? null;
    throw error;
  }
}

async function resolveFound(
  found: FoundFile | null,
  input: ConfigInput & Required<Pick<ConfigInput, "env" | "readFile">>,
): Promise<ResolvedConfig> {
  const { env, flags = {} } = input;
  const { document, configured, choice } = await readChoice(found, input);
  const variables = environmentSettings(env);
  assertKnown(variables, configured, choice);
  const warnings: string[] = [];
  const files = filesOf(found, input, warnings);
  const resolver = new Resolver(input, { files, found, variables, warnings });
  for (const name of choice.names) {
    await resolver.add(name, configuredGroup(configured, name, choice.origin));
  }
  const section = gatewayGroup(document, env);
  const gateway = flags.gateway ? await resolveGateway(section, flags.gateway, files) : null;
  const resolved = resolver.finish(choice);
  const listed = section ? listSettings(section, gatewaySchema, ["gateway"]) : [];
  return { ...resolved, file: found?.file ?? null, gateway, settings: [...resolved.settings, ...listed] };
}

function filesOf(
  found: FoundFile | null,
  { cwd, readFile }: ConfigInput & Required<Pick<ConfigInput, "readFile">>,
  warnings: string[],
): Files {
  return {
    readFile,
    folderOf: (origin) => (origin.kind === "file" ? dirname(origin.file) : cwd),
    foundFile: found?.isTrusted === false ? found.file : null,
    warn: (message) => warnings.push(message),
  };
}

/** Configured transports, and the chosen ones. */
async function readChoice(
  found: FoundFile | null,
  { flags = {}, env, defaultTransport = primaryType }: ConfigInput & Required<Pick<ConfigInput, "env">>,
): Promise<{ readonly document: Group | null; readonly configured: Group; readonly choice: Choice }> {
  const document = found && (await readDocument(found));
  const wishes = { preset: flags.preset, transports: flags.transports, otherwise: defaultTransport };
  const configured = configuredTransports(document, wishes, env);
  return { document, configured, choice: chooseTransports(configured, wishes, env) };
}

/**
 * Declarations of chosen plug-ins that the program does not include; none after a mistake, which
 * `resolveConfig` reports.
 *
 * Reads the configuration file and loads packages.
 */
export async function foreignPlugins(input: ConfigInput): Promise<readonly TransportPlugin[]> {
  const { flags = {}, env = {}, cwd, readFile = readFileAsText } = input;
  try {
    const found = await findFile({ flag: flags.config, env, cwd, readFile });
    const { configured, choice } = await readChoice(found, { ...input, env });
    const loader = new PluginLoader(input, found);
    const wanted = choice.names
      .map((name) => wantedBy(name, configuredGroup(configured, name, choice.origin), ["transports", name]))
      .filter(({ type }) => !loader.hasOwn(type));
    return await Promise.all(wanted.map((one) => loader.load(one)));
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

const readFileAsText: ReadFile = (path) => readFileOfSystem(path, "utf8");

/** The parser is loaded only for a file, so that a start without one is quick. */
async function readDocument({ file, text }: FoundFile): Promise<Group> {
  const { parseDocument } = await import("../files/document.ts");
  const document = parseDocument(text, file);
  checkDocument(document);
  return document;
}
