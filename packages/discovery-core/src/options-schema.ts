import { type GroupShape, issuesOf, type Shape } from "./shape.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** An option, in the part of JSON Schema that options of transports need. */
export type OptionShape = Shape & { readonly description: string; readonly default?: unknown };

/**
 * The schema of a transport's options, made of their JSON Schemas, for those who need no more than this.
 *
 * @param properties - Every option there is.
 * @param required - Those without which the transport cannot be made. @default none
 */
export function optionsSchema<Options extends object>(
  properties: { readonly [Key in keyof Options]-?: OptionShape },
  required: readonly (keyof Options & string)[] = [],
): StandardSchema<Options> {
  const shape: GroupShape = { type: "object", properties, required, additionalProperties: false };
  return {
    "~standard": {
      version: 1,
      vendor: "lmserv",
      validate(value) {
        const issues = issuesOf(value, shape);
        return issues.length > 0 ? { issues } : { value: value as Options };
      },
      jsonSchema: { input: () => ({ ...shape }) },
    },
  };
}
