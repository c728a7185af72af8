import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { documentShape, transportShape } from "../src/schema/frame.ts";
import { type JsonSchema, optionsJsonSchema, propertiesOf } from "../src/schema/json-schema.ts";
import { namePattern } from "../src/schema/transport-name.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** JSON Schema for editors, with the options of these plug-ins; those of others are left open. */
export function publishedSchema(plugins: readonly TransportPlugin[]): JsonObject {
  const frame: JsonObject = transportShape.properties;
  const { transports, ...properties }: JsonObject = documentShape.properties;
  const ref = (type: string): JsonObject => ({ $ref: `#/$defs/${type}` });
  const byType = plugins.map(({ type }) => ({
    if: { required: ["type"], properties: { type: { const: type } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: ref(type),
  }));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    ...documentShape,
    title: "lmserv.config.jsonc",
    properties: {
      ...properties,
      transports: {
        ...(transports as JsonObject),
        propertyNames: { pattern: namePattern.source },
        minProperties: 1,
        properties: Object.fromEntries(plugins.map(({ type }) => [type, ref(type)])),
        additionalProperties: ref("other"),
      },
    },
    $defs: {
      ...Object.fromEntries(plugins.map((plugin) => [plugin.type, definitionOf(plugin, frame)])),
      other: { type: "object", properties: frame, allOf: byType },
    },
  };
}

/** The environment may set what the file omits, so that nothing is required. */
function definitionOf(plugin: TransportPlugin, frame: JsonObject): JsonObject {
  const { $schema: _, required: __, ...schema } = optionsJsonSchema(plugin) as JsonSchema & JsonObject;
  return { ...schema, properties: { ...frameOf(plugin, frame), ...writable(schema) } };
}

/** A transport that announces waits for no other. */
function frameOf({ announces }: TransportPlugin, { when, after, ...frame }: JsonObject): JsonObject {
  return announces ? frame : { ...frame, when, after };
}

/** Secrets are named by their files. */
function writable(schema: JsonSchema): JsonObject {
  const entries = [...propertiesOf(schema)].map(([key, property]) => {
    const { flag: _, ...described } = property;
    if (!property.writeOnly) return [key, described];
    return [
      `${key}File`,
      { type: "string", description: `A file that holds this: ${property.description ?? key}` },
    ];
  });
  return Object.fromEntries(entries);
}
