import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import {
  createDiscovery,
  type Discovery,
  DiscoveryError,
  type DiscoveryOptions,
} from "@lmserv/discovery-core";
import { assertOptions, discoveryShapes } from "@lmserv/discovery-core/transport";
import { composeConfigured } from "./composition.ts";
import { type ConfigInput, inputShapes } from "./input.ts";
import { resolveConfig } from "./resolve/resolve.ts";

export interface DiscoveryFromConfigOptions
  extends Partial<ConfigInput>,
    Omit<DiscoveryOptions, "transports"> {}

/**
 * Opens a discovery by the configuration: the found file, the environment, or mDNS without either.
 *
 * @throws {ConfigError} for a mistake in the configuration; {DiscoveryError | AggregateError} as
 * `createDiscovery`.
 */
export async function discoveryFromConfig(options: DiscoveryFromConfigOptions = {}): Promise<Discovery> {
  assertOptions("discoveryFromConfig", options, { ...discoveryShapes, ...inputShapes });
  const { cwd = process.cwd(), env = process.env, from = programFolders() } = options;
  const config = await resolveConfig({ ...options, cwd, env, from });
  for (const message of config.warnings) {
    options.log?.("warn", message);
    options.onWarning?.(new DiscoveryError("TRANSPORT_UNAVAILABLE", message));
  }
  return createDiscovery({
    ...discoveryOptionsOf(options),
    transports: composeConfigured(config.transports),
  });
}

/** Options that the configuration does not set. */
function discoveryOptionsOf(options: DiscoveryFromConfigOptions): Omit<DiscoveryOptions, "transports"> {
  const own = Object.entries(options).filter(([key]) => !Object.hasOwn(inputShapes, key));
  return Object.fromEntries(own);
}

/** Folders of the running program and its packages. */
function programFolders(): readonly string[] {
  const [, program] = process.argv;
  try {
    return program === undefined ? [] : [dirname(realpathSync(program))];
  } catch {
    // Started without a file, such as by `node --eval`.
    return [];
  }
}
