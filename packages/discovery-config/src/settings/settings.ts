import type { ResolvedSetting } from "../resolve/resolved.ts";
import { type JsonSchema, propertiesOf } from "../schema/json-schema.ts";
import type { Group, Path, Setting } from "./setting.ts";

/** Values of a transport, and defaults of its other options. */
export function listSettings(group: Group, schema: JsonSchema, path: Path): readonly ResolvedSetting[] {
  const properties = propertiesOf(schema);
  const set = [...group.entries].flatMap(([key, setting]) =>
    listSetting(setting, properties.get(key) ?? {}, [...path, key]),
  );
  const defaults = [...properties]
    .filter(([key, property]) => property.default !== undefined && !group.entries.has(key))
    .map(([key, property]) => one([...path, key], property.default, { kind: "default" }));
  return [...set, ...defaults];
}

function listSetting(setting: Setting, schema: JsonSchema, path: Path): readonly ResolvedSetting[] {
  if (setting.kind === "group") return listSettings(setting, schema, path);
  if (!schema.writeOnly) return [one(path, setting.value, setting.origin)];
  return [{ path: path.join("."), value: null, isSecret: true, origin: setting.origin }];
}

function one(path: Path, value: unknown, origin: ResolvedSetting["origin"]): ResolvedSetting {
  return { path: path.join("."), value, isSecret: false, origin };
}
