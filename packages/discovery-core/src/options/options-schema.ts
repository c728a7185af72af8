import { type GroupShape, issuesOf, type Shape } from "./shape.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** Option, in the part of JSON Schema that options of transports need. */
export type OptionShape = Shape & {
  readonly description: string;
  readonly default?: unknown;
  readonly flag?: OptionFlag;
};

/** Flag of an option; transports that share a flag share its meaning. */
export interface OptionFlag {
  /** Name such as `--seed`. */
  readonly name: string;
  /** Help text for a list of flags. */
  readonly help: string;
  /** Placeholder of its value in a word, such as `url`; absent for a switch. */
  readonly value?: string;
  /** True if it is of use only with announcements. @default false */
  readonly announcing?: boolean;
  /** Address to propose when one of the option's addresses to listen on is taken. @default it holds none */
  readonly listens?: string;
}

/**
 * Schema of a transport's options, made of their JSON Schemas, for plug-ins that need no more.
 *
 * @param properties - Every option.
 * @param required - Options without which the transport cannot be made. @default none
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
