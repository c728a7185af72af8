import { suggestName } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import type { Environment } from "../files/file-search.ts";
import { isTransportName, nameRule } from "../schema/transport-name.ts";
import { type EnvironmentSetting, isSpelling } from "../settings/environment.ts";
import type { Origin } from "../settings/origin.ts";
import { type Group, groupOf, mergeGroups, nearestAt, settingOf } from "../settings/setting.ts";
import { presetTransports } from "./preset.ts";

/** Chosen transports, with the origin of the choice. */
export interface Choice {
  readonly names: readonly string[];
  readonly origin: Origin;
}

export interface Wishes {
  /** Value of `--preset`. */
  readonly preset: string | undefined;
  /** Value of `--transport`. */
  readonly transports: readonly string[] | undefined;
  /** Transport without any configured one. */
  readonly otherwise: string;
}

/** Transports of preset and file, or the default one if neither has any. */
export function configuredTransports(
  document: Group | null,
  { preset, otherwise }: Wishes,
  env: Environment,
): Group {
  const layers = [presetOf(document, preset, env), transportsOf(document)].filter((group) => group !== null);
  const [first, ...rest] = layers;
  if (first) return rest.reduce(mergeGroups, first);
  const origin: Origin = { kind: "default" };
  return groupOf([[otherwise, settingOf({}, origin)]], origin);
}

function presetOf(document: Group | null, flag: string | undefined, env: Environment): Group | null {
  if (flag !== undefined) return presetTransports(flag, { kind: "flag", flag: "--preset" });
  const variable = "LMSERV_PRESET";
  if (env[variable]) return presetTransports(env[variable], { kind: "environment", variable });
  const setting = document?.entries.get("preset");
  return setting?.kind === "value" ? presetTransports(String(setting.value), setting.origin) : null;
}

function transportsOf(document: Group | null): Group | null {
  const setting = document?.entries.get("transports");
  return setting?.kind === "group" ? setting : null;
}

/**
 * Transports named by flag or environment, or else all configured ones.
 *
 * @throws {ConfigError} for an impossible name, and for one given twice.
 */
export function chooseTransports(configured: Group, { transports }: Wishes, env: Environment): Choice {
  const variable = "LMSERV_TRANSPORTS";
  if (transports) return checked(transports, { kind: "flag", flag: "--transport" });
  const listed = env[variable];
  if (listed) {
    const names = listed.split(",").map((name) => name.trim());
    return checked(names, { kind: "environment", variable });
  }
  return { names: [...configured.entries.keys()], origin: configured.origin };
}

function checked(names: readonly string[], origin: Origin): Choice {
  const wrong = names.find((name) => !isTransportName(name));
  if (wrong !== undefined || names.length === 0) {
    const reason = `names ${JSON.stringify(wrong ?? "")}, which is no name of a transport`;
    throw new ConfigError({ origin, path: [], reason, fix: nameRule });
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return { names, origin };
  throw new ConfigError({
    origin,
    path: [],
    reason: `names ${JSON.stringify(twice)} twice`,
    fix: "name it once",
  });
}

/** @throws {ConfigError} for a variable of an unknown transport, most likely a typing error. */
export function assertKnown(
  settings: readonly EnvironmentSetting[],
  configured: Group,
  choice: Choice,
): void {
  const names = [...new Set([...configured.entries.keys(), ...choice.names])];
  for (const { variable, transport } of settings) {
    if (names.some((name) => isSpelling(transport, name))) continue;
    throw new ConfigError({
      origin: { kind: "environment", variable },
      path: [],
      reason: `there is no transport ${JSON.stringify(transport.toLowerCase())} to set this of`,
      fix: `${suggestName(transport, names)}; a further one is named in LMSERV_TRANSPORTS`,
    });
  }
}

/** Configuration of a chosen transport; empty for one that only flag or environment name. */
export function configuredGroup(configured: Group, name: string, origin: Origin): Group {
  const setting = nearestAt(configured, [name]);
  return setting !== configured && setting.kind === "group" ? setting : groupOf([], origin);
}
