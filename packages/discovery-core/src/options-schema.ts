import type { SchemaIssue, StandardSchema } from "./standard-schema.ts";

/** An option, in the part of JSON Schema that options of transports need. */
export type OptionShape = Shape & { readonly description: string; readonly default?: unknown };

type Shape = TextShape | NumberShape | FlagShape | ListShape | GroupShape;

interface TextShape {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly minLength?: number;
  /** Relative to what names it; a file must be there. */
  readonly format?: "file" | "path";
  /** A secret, or another text that is kept in a file of its own. */
  readonly writeOnly?: true;
}

interface NumberShape {
  readonly type: "integer" | "number";
  readonly minimum: number;
  readonly maximum: number;
}

interface FlagShape {
  readonly type: "boolean";
}

interface ListShape {
  readonly type: "array";
  readonly items: Shape;
  readonly minItems?: number;
  readonly maxItems?: number;
}

interface GroupShape {
  readonly type: "object";
  readonly properties: Readonly<Record<string, OptionShape>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
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
        const issues = issuesOf(value, shape, []);
        return issues.length > 0 ? { issues } : { value: value as Options };
      },
      jsonSchema: { input: () => ({ ...shape }) },
    },
  };
}

type Path = readonly PropertyKey[];

function issuesOf(value: unknown, shape: Shape, path: Path): readonly SchemaIssue[] {
  if (!fits(value, shape)) return [{ path, message: `must be ${describe(shape)}, and is ${quote(value)}` }];
  if (shape.type === "array" && Array.isArray(value)) {
    return value.flatMap((item, index) => issuesOf(item, shape.items, [...path, index]));
  }
  if (shape.type === "object" && isGroup(value)) return groupIssues(value, shape, path);
  return [];
}

function groupIssues(group: Readonly<Record<string, unknown>>, shape: GroupShape, path: Path): SchemaIssue[] {
  const { properties, required = [] } = shape;
  const missing = required.filter((key) => group[key] === undefined);
  return [
    ...missing.map((key) => ({ path: [...path, key], message: "is missing" })),
    ...Object.entries(group).flatMap(([key, value]) => {
      const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (!property) {
        return [
          { path: [...path, key], message: `is unknown; there are ${Object.keys(properties).join(", ")}` },
        ];
      }
      return value === undefined ? [] : issuesOf(value, property, [...path, key]);
    }),
  ];
}

/** Whether the value itself is right; what it holds is looked at next. */
function fits(value: unknown, shape: Shape): boolean {
  switch (shape.type) {
    case "string":
      return (
        typeof value === "string" && value.length >= (shape.minLength ?? 0) && isOneOf(value, shape.enum)
      );
    case "integer":
    case "number":
      return isNumber(value, shape);
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value) && isBetween(value.length, shape.minItems ?? 0, shape.maxItems);
    case "object":
      return isGroup(value);
  }
}

function isNumber(value: unknown, { type, minimum, maximum }: NumberShape): boolean {
  if (typeof value !== "number" || !isBetween(value, minimum, maximum)) return false;
  return type === "number" || Number.isInteger(value);
}

function isOneOf(text: string, choices: readonly string[] | undefined): boolean {
  return !choices || choices.includes(text);
}

function isBetween(value: number, least: number, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(shape: Shape): string {
  switch (shape.type) {
    case "string":
      return shape.enum
        ? `one of ${shape.enum.join(", ")}`
        : `a text${shape.minLength ? " that is not empty" : ""}`;
    case "integer":
      return `a whole number from ${shape.minimum} to ${shape.maximum}`;
    case "number":
      return `a number from ${shape.minimum} to ${shape.maximum}`;
    case "boolean":
      return "true or false";
    case "array":
      return `a list${describeLength(shape)}`;
    case "object":
      return "an object";
  }
}

function describeLength({ minItems = 0, maxItems }: ListShape): string {
  if (maxItems !== undefined) return ` of ${minItems} to ${maxItems}`;
  return minItems > 0 ? ` of at least ${minItems}` : "";
}

/** Long enough to recognise the value. */
const maxQuoted = 60;

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
}
