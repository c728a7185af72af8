import type { JsonSchema } from "./json-schema.ts";
import type { Group } from "./setting.ts";

/** What every transport has besides its options, as variables of the environment give it. */
export const frameProperties: Readonly<Record<string, JsonSchema>> = {
  type: { type: "string" },
  optional: { type: "boolean" },
  when: { type: "string" },
  after: { type: "string" },
};

export const frameKeys: readonly string[] = Object.keys(frameProperties);

/** The value of a key that was checked to be text, or null when it is not there. */
export function textOf(group: Group, key: string): string | null {
  const setting = group.entries.get(key);
  return setting?.kind === "value" && typeof setting.value === "string" ? setting.value : null;
}
