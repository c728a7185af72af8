import { ConfigError } from "../config-error.ts";
import type { Environment } from "../files/file-search.ts";
import { type JsonSchema, propertiesOf } from "../schema/json-schema.ts";
import type { Origin } from "./origin.ts";
import { type Group, groupOf, mergeGroups, nest, type Path, settingOf } from "./setting.ts";

/** Variable such as `LMSERV_TRANSPORTS__ARP__SWEEP=true`. */
export interface EnvironmentSetting {
  readonly variable: string;
  /** Spelling in the variable: `ARP`. */
  readonly transport: string;
  readonly keys: Path;
  readonly text: string;
}

const prefix = "LMSERV_TRANSPORTS__";
const gatewayPrefix = "LMSERV_GATEWAY__";

/**
 * Settings of transports among the variables.
 *
 * @throws {ConfigError} for a variable that names a transport and no option.
 */
export function environmentSettings(env: Environment): readonly EnvironmentSetting[] {
  return Object.entries(env).flatMap(([variable, text]) => {
    if (text === undefined || !variable.startsWith(prefix)) return [];
    const [transport = "", ...keys] = variable.slice(prefix.length).split("__");
    if (transport === "" || keys.length === 0 || keys.includes("")) throw halfName(variable);
    return [{ variable, transport, keys, text }];
  });
}

/**
 * Settings of the local endpoint among the variables: `LMSERV_GATEWAY__LISTEN`.
 *
 * @throws {ConfigError} for a variable that names none.
 */
export function gatewaySettings(env: Environment): readonly EnvironmentSetting[] {
  return Object.entries(env).flatMap(([variable, text]) => {
    if (text === undefined || !variable.startsWith(gatewayPrefix)) return [];
    const keys = variable.slice(gatewayPrefix.length).split("__");
    if (keys.includes("")) throw halfName(variable);
    return [{ variable, transport: "", keys, text }];
  });
}

function halfName(variable: string): ConfigError {
  return new ConfigError({
    origin: { kind: "environment", variable },
    path: [],
    reason: "the variable names no option",
    fix: `write it as ${prefix}ARP__SWEEP or ${gatewayPrefix}LISTEN`,
  });
}

/** True if a variable's segment spells a key, as `SWEEP_EVERY_MS` does `sweepEveryMs`. */
export function isSpelling(segment: string, key: string): boolean {
  return squeeze(segment) === squeeze(key);
}

function squeeze(word: string): string {
  return word.replaceAll(/[-_]/g, "").toLowerCase();
}

/** Settings of one transport in the variables, with the types of its options. */
export function environmentGroup(settings: readonly EnvironmentSetting[], schema: JsonSchema): Group | null {
  const groups = settings.map((setting) => groupOfOne(setting, schema));
  return groups.reduce<Group | null>((all, group) => (all ? mergeGroups(all, group) : group), null);
}

function groupOfOne({ variable, keys, text }: EnvironmentSetting, schema: JsonSchema): Group {
  const origin: Origin = { kind: "environment", variable };
  const path: string[] = [];
  let at: JsonSchema = schema;
  for (const segment of keys) {
    const key = spell(segment, at);
    at = propertiesOf(at).get(key) ?? {};
    path.push(key);
  }
  const [first = "", ...rest] = path;
  return groupOf([[first, nest(rest, settingOf(typed(text, at), origin))]], origin);
}

/** Key of a segment; an unknown one is reported in camel case. */
function spell(segment: string, schema: JsonSchema): string {
  const properties = [...propertiesOf(schema)];
  const known = properties.flatMap(([key, { writeOnly }]) => (writeOnly ? [key, `${key}File`] : [key]));
  const camel = segment.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return known.find((key) => isSpelling(segment, key)) ?? camel;
}

/** Text, or each item of a list, as the expected type; other values stay unchanged. */
export function typedValue(value: unknown, schema: JsonSchema): unknown {
  if (Array.isArray(value)) return value.map((item) => typedValue(item, schema.items ?? {}));
  return typeof value === "string" && schema.type !== undefined ? typed(value, schema) : value;
}

/** Text as the expected type; an unfit text stays, for the schema to refuse. */
function typed(text: string, { type, items }: JsonSchema): unknown {
  switch (type) {
    case "string":
      return text;
    case "boolean":
      return text === "true" || text === "false" ? text === "true" : text;
    case "integer":
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "array":
      // List as JSON, or an address such as [::1]:7946.
      if (Array.isArray(parsed(text))) return parsed(text);
      return text === "" ? [] : text.split(",").map((item) => typed(item.trim(), items ?? {}));
    default:
      return parsed(text);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
