import { readFile as readFileOfSystem } from "node:fs/promises";
import { assertKnown, chooseTransports, configuredGroup, configuredTransports } from "./choice.ts";
import { ConfigError } from "./config-error.ts";
import { environmentSettings } from "./environment.ts";
import { type FoundFile, findFile, type ReadFile } from "./file-search.ts";
import type { ConfigInput } from "./input.ts";
import type { ResolvedConfig } from "./resolved.ts";
import { Resolver } from "./resolver.ts";
import type { Group } from "./setting.ts";

/**
 * Makes one configuration of flags, environment, file, preset and defaults, the first of which wins.
 *
 * Reads files and loads packages; starts nothing.
 *
 * @throws {ConfigError} for the first mistake; it says where it stands, what is wrong and what to do.
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
  const { flags = {}, env, readFile, defaultTransport = "mdns" } = input;
  const document = found && (await readDocument(found));
  const wishes = { preset: flags.preset, transports: flags.transports, otherwise: defaultTransport };
  const configured = configuredTransports(document, wishes, env);
  const choice = chooseTransports(configured, wishes, env);
  const variables = environmentSettings(env);
  assertKnown(variables, configured, choice);
  const resolver = new Resolver(input, { readFile, found, variables });
  for (const name of choice.names) {
    await resolver.add(name, configuredGroup(configured, name, choice.origin));
  }
  return { file: found?.file ?? null, ...resolver.finish(choice) };
}

const readFileAsText: ReadFile = (path) => readFileOfSystem(path, "utf8");

/** The parser and the schema are loaded when there is something to read, so that a start without a file is quick. */
async function readDocument({ file, text }: FoundFile): Promise<Group> {
  const [{ parseDocument }, { checkDocument }] = await Promise.all([
    import("./document.ts"),
    import("./frame.ts"),
  ]);
  const document = parseDocument(text, file);
  checkDocument(document);
  return document;
}
