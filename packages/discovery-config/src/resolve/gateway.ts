import { ConfigError } from "../config-error.ts";
import { trustAdvice } from "../files/confinement.ts";
import type { Environment } from "../files/file-search.ts";
import type { FlagOption } from "../input.ts";
import { checkGateway } from "../schema/frame.ts";
import { gatewaySchema } from "../schema/gateway-shape.ts";
import { environmentGroup, gatewaySettings } from "../settings/environment.ts";
import { type Files, fillIn } from "../settings/options.ts";
import type { Origin } from "../settings/origin.ts";
import {
  type Group,
  groupOf,
  mergeGroups,
  nearestAt,
  type Path,
  plain,
  settingOf,
} from "../settings/setting.ts";

/** Local endpoint as set by flags, environment and file, by the keys of the file. */
export interface GatewayConfig {
  readonly listen?: readonly string[];
  readonly as?: "ollama";
  /** Content of `keyFile`. */
  readonly key?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly prefer?: readonly string[];
  readonly alias?: Readonly<Record<string, readonly string[]>>;
  readonly trust?: "any" | "signed";
  /** Readable file. */
  readonly caFile?: string;
  /** Readable files. */
  readonly nodeCaFiles?: Readonly<Record<string, string>>;
  /** Contents of the files of `nodeKeys`. */
  readonly nodeKeys?: Readonly<Record<string, string>>;
}

/** Section with the origin of each value. */
export interface ResolvedGateway {
  readonly values: GatewayConfig;
  /**
   * Makes the error for an invalid value: `/etc/lmserv/lmserv.config.jsonc:7:5: gateway.listen ...`.
   *
   * @param key - Key of the value within the section, such as `["listen"]` or `["nodeKeys",
   * "10.0.0.7:8000"]`.
   */
  readonly fault: (key: Path, reason: string, fix: string) => ConfigError;
}

const path: Path = ["gateway"];

/** Section of file and environment; null if neither has one. Secrets are the names of their files. */
export function gatewayGroup(document: Group | null, env: Environment): Group | null {
  const setting = document?.entries.get("gateway");
  const configured = setting?.kind === "group" ? setting : null;
  const environment = environmentGroup(gatewaySettings(env), gatewaySchema);
  return configured && environment ? mergeGroups(configured, environment) : (configured ?? environment);
}

/**
 * Merges the section with the flags of `lmserv gateway`, and reads the files that it names.
 *
 * @throws {ConfigError} for the first mistake, and for values that a merely found file may not set.
 */
export async function resolveGateway(
  configured: Group | null,
  flags: readonly FlagOption[],
  files: Files,
): Promise<ResolvedGateway> {
  const group = withFlags(configured, flags);
  checkGateway(group);
  if (files.foundFile !== null) assertClosed(group, files.foundFile);
  const filled = await fillIn(group, gatewaySchema, path, files);
  return {
    values: plain(filled) as GatewayConfig,
    fault: (key, reason, fix) => {
      const held = key[0] === "keyFile" ? ["key"] : key;
      return new ConfigError({
        origin: nearestAt(filled, held).origin,
        path: [...path, ...key],
        reason,
        fix,
      });
    },
  };
}

function withFlags(configured: Group | null, flags: readonly FlagOption[]): Group {
  const given = flags.map(({ flag, key, value }) => [key, settingOf(value, { kind: "flag", flag })] as const);
  const origin: Origin = configured?.origin ?? { kind: "default" };
  const group = groupOf(given, origin);
  return configured ? mergeGroups(configured, group) : group;
}

/** Keys that grant access to the endpoint, or trust. */
const opening = ["allowHost", "allowOrigin", "caFile", "nodeCaFiles"];
const onLoopback = /^(?:127\.|localhost(?::|$)|\[::1\])/;

/** A file that was only found may be foreign, and would grant its author access. */
function assertClosed({ entries }: Group, file: string): void {
  for (const [key, { origin, ...setting }] of entries) {
    if (origin.kind !== "file") continue;
    const listens = "value" in setting && Array.isArray(setting.value) ? setting.value.map(String) : [];
    const isOpening =
      key === "listen" ? !listens.every((one) => onLoopback.test(one)) : opening.includes(key);
    if (!isOpening) continue;
    const reason =
      "grants access to the endpoint or trust, and stands in a file that was only found in the working folder";
    throw new ConfigError({ origin, path: [...path, key], reason, fix: trustAdvice(file) });
  }
}
