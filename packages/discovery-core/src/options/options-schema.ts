import { type GroupShape, issuesOf, type Shape } from "./shape.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** An option, in the part of JSON Schema that options of transports need. */
export type OptionShape = Shape & {
  readonly description: string;
  readonly default?: unknown;
  readonly flag?: OptionFlag;
};

/** How a command line sets an option; transports that share a flag share its meaning. */
export interface OptionFlag {
  /** Such as `--seed`. */
  readonly name: string;
  /** What it is for, in the words of a list of flags. */
  readonly help: string;
  /** What follows it, in a word: `url`; absent where nothing does. */
  readonly value?: string;
  /** Whether it is of use only where nodes are announced. @default false */
  readonly announcing?: boolean;
  /** Where the option holds addresses to listen on, another one to propose when that is taken. @default it holds none */
  readonly listens?: string;
}

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
