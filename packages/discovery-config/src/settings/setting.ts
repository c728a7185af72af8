import type { Origin } from "./origin.ts";

/** Part of the configuration, in which every value has its origin. */
export type Setting = Value | Group;

/** Part that is replaced as a whole: a scalar or a list. */
export interface Value {
  readonly kind: "value";
  readonly value: unknown;
  readonly origin: Origin;
}

/** Part that is merged key by key. */
export interface Group {
  readonly kind: "group";
  readonly entries: ReadonlyMap<string, Setting>;
  readonly origin: Origin;
}

export type Path = readonly string[];

export function groupOf(entries: Iterable<readonly [string, Setting]>, origin: Origin): Group {
  return { kind: "group", entries: new Map(entries), origin };
}

/** Gives all parts of a plain value one origin. */
export function settingOf(value: unknown, origin: Origin): Setting {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "value", value, origin };
  }
  const entries = Object.entries(value).map(([key, item]) => [key, settingOf(item, origin)] as const);
  return groupOf(entries, origin);
}

/** Plain value without origins. */
export function plain(setting: Setting): unknown {
  if (setting.kind === "value") return setting.value;
  return Object.fromEntries([...setting.entries].map(([key, item]) => [key, plain(item)]));
}

/** Lays `upper` over `lower`: groups merge, anything else is replaced. */
function merge(lower: Setting | undefined, upper: Setting): Setting {
  if (lower?.kind !== "group" || upper.kind !== "group") return upper;
  return mergeGroups(lower, upper);
}

export function mergeGroups(lower: Group, upper: Group): Group {
  const entries = new Map(lower.entries);
  for (const [key, item] of upper.entries) entries.set(key, merge(entries.get(key), item));
  return { ...upper, entries };
}

/** Setting at the path, or else the innermost group without it. */
export function nearestAt(setting: Setting, [key, ...rest]: Path): Setting {
  const next = key === undefined || setting.kind === "value" ? undefined : setting.entries.get(key);
  return next ? nearestAt(next, rest) : setting;
}

export function without(group: Group, keys: Path): Group {
  return { ...group, entries: new Map([...group.entries].filter(([key]) => !keys.includes(key))) };
}

/** Wraps a setting into groups, one for each key. */
export function nest([key, ...rest]: Path, setting: Setting): Setting {
  if (key === undefined) return setting;
  return groupOf([[key, nest(rest, setting)]], setting.origin);
}
