import type { OptionFlag, TransportPlugin } from "@lmserv/discovery-core/transport";

/** Part of JSON Schema that is read; a schema may have more, or less. */
export interface JsonSchema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly writeOnly?: boolean;
  readonly enum?: readonly string[];
  readonly flag?: OptionFlag;
}

/** Schema of a plug-in's options; empty if it gives none. */
export function optionsJsonSchema({ options }: TransportPlugin): JsonSchema {
  return options["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
}

export function propertiesOf({ properties = {} }: JsonSchema): ReadonlyMap<string, JsonSchema> {
  return new Map(Object.entries(properties));
}

/** The secret of `keyFile` is `key`, if that is one and `keyFile` no option itself. */
export function secretBehind(key: string, schema: JsonSchema): string | null {
  const properties = propertiesOf(schema);
  const secret = key.endsWith("File") ? key.slice(0, -"File".length) : "";
  return !properties.has(key) && properties.get(secret)?.writeOnly ? secret : null;
}

/** Keys that users may write, among them the files of secrets. */
export function writableKeys(schema: JsonSchema): readonly string[] {
  return [...propertiesOf(schema)].map(([key, { writeOnly }]) => (writeOnly ? `${key}File` : key));
}
