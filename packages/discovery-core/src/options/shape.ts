import { withoutCredentials } from "../text/credentials.ts";
import { suggestName } from "./nearest.ts";

/** Shape of a value: the part of JSON Schema that options need, and values that only a program can give. */
export type Shape = TextShape | NumberShape | FlagShape | ListShape | GroupShape | CodeShape;

export interface TextShape {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly minLength?: number;
  /** For editors; the parser of the text has messages of its own. */
  readonly pattern?: string;
  /** Relative to the file that names it; a `file` must exist. */
  readonly format?: "file" | "path";
  /** Marks a secret, or another text with a file of its own; no message shows it. */
  readonly writeOnly?: true;
}

export interface NumberShape {
  readonly type: "integer" | "number";
  readonly minimum: number;
  /** @default none; the number may be infinite */
  readonly maximum?: number;
}

export interface FlagShape {
  readonly type: "boolean";
}

export interface ListShape {
  readonly type: "array";
  readonly items: Shape;
  readonly minItems?: number;
  readonly maxItems?: number;
}

export interface GroupShape {
  readonly type: "object";
  readonly properties: Readonly<
    Record<string, Shape & { readonly description?: string; readonly default?: unknown }>
  >;
  readonly required?: readonly string[];
  /** Shape of other keys' values; true for any, false to forbid them. */
  readonly additionalProperties: boolean | Shape;
}

/** Function, or object with certain members; no file can contain either. */
export interface CodeShape {
  readonly type: "code";
  /** Name in messages, such as `an AbortSignal`. */
  readonly called: string;
  /** Required members. @default none: it is a function */
  readonly has?: readonly string[];
  /** True if a function that makes it is allowed. @default false */
  readonly orFunction?: boolean;
}

export type Path = readonly PropertyKey[];

/** Fault of a value or of a part of it. */
export interface ShapeIssue {
  readonly path: Path;
  readonly message: string;
  /** True for a value of another type, missing or unknown; false for a value that is not allowed. */
  readonly isTypeError: boolean;
}

/** Faults of a value; parts of a faulty part are not examined. */
export function issuesOf(value: unknown, shape: Shape, path: Path = []): readonly ShapeIssue[] {
  const isOfType = hasType(value, shape);
  if (!isOfType || !isAllowed(value, shape)) {
    const shown = isSecret(shape) ? "" : `, and is ${quote(value)}`;
    return [{ path, message: `must be ${describe(shape, value)}${shown}`, isTypeError: !isOfType }];
  }
  if (shape.type === "array" && Array.isArray(value)) {
    return value.flatMap((item, index) => issuesOf(item, shape.items, [...path, index]));
  }
  if (shape.type === "object" && isGroup(value)) return groupIssues(value, shape, path);
  return [];
}

/** An `undefined` option counts as absent. */
function groupIssues(group: Group, shape: GroupShape, path: Path): readonly ShapeIssue[] {
  const { properties, required = [], additionalProperties } = shape;
  const names = Object.keys(properties);
  const missing = required.filter((key) => group[key] === undefined);
  const others = Object.keys(group).filter((key) => !names.includes(key));
  return [
    ...missing.map((key) => ({ path: [...path, key], message: "is missing", isTypeError: true })),
    ...others.flatMap((key) => {
      if (additionalProperties === true) return [];
      if (additionalProperties) return issuesOf(group[key], additionalProperties, [...path, key]);
      return [{ path: [...path, key], message: `is unknown; ${suggestName(key, names)}`, isTypeError: true }];
    }),
    ...Object.entries(properties).flatMap(([key, property]) =>
      group[key] === undefined ? [] : issuesOf(group[key], property, [...path, key]),
    ),
  ];
}

function hasType(value: unknown, shape: Shape): boolean {
  switch (shape.type) {
    case "integer":
    case "number":
      return typeof value === "number";
    case "array":
      return Array.isArray(value);
    case "object":
      return isGroup(value);
    case "code":
      return isCode(value, shape);
    default:
      return typeof value === shape.type;
  }
}

function isCode(value: unknown, { has, orFunction }: CodeShape): boolean {
  if (typeof value === "function" && (!has || orFunction)) return true;
  if (!has) return false;
  return typeof value === "object" && value !== null && has.every((member) => member in value);
}

/** True if a value of the right type is allowed; its parts are examined next. */
function isAllowed(value: unknown, shape: Shape): boolean {
  if (shape.type === "string" && typeof value === "string") {
    return value.length >= (shape.minLength ?? 0) && (!shape.enum || shape.enum.includes(value));
  }
  if ((shape.type === "number" || shape.type === "integer") && typeof value === "number") {
    const isWhole = shape.type === "number" || value === Number.POSITIVE_INFINITY || Number.isInteger(value);
    return isWhole && isBetween(value, shape.minimum, shape.maximum);
  }
  if (shape.type === "array" && Array.isArray(value)) {
    return isBetween(value.length, shape.minItems ?? 0, shape.maxItems);
  }
  return true;
}

function isBetween(value: number, least: number, most = Number.POSITIVE_INFINITY): boolean {
  return value >= least && value <= most;
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True if it is or holds a secret: even a misplaced value may be one. */
function isSecret(shape: Shape): boolean {
  if (shape.type === "array") return isSecret(shape.items);
  if (shape.type === "object") return Object.values(shape.properties).some(isSecret);
  return shape.type === "string" && shape.writeOnly === true;
}

/** @param value - Present value: a single item is likely meant as a list of it. */
function describe(shape: Shape, value: unknown): string {
  switch (shape.type) {
    case "string":
      return shape.enum
        ? `one of ${shape.enum.join(", ")}`
        : `a text${shape.minLength ? " that is not empty" : ""}`;
    case "integer":
      return shape.minimum === shape.maximum ? `${shape.minimum}` : `a whole number ${describeRange(shape)}`;
    case "number":
      return `a number ${describeRange(shape)}`;
    case "boolean":
      return "true or false";
    case "array":
      return `a list${describeLength(shape)}${describeExample(shape, value)}`;
    case "object":
      return "an object";
    case "code":
      return shape.called;
  }
}

function describeRange({ minimum, maximum }: NumberShape): string {
  return maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
}

function describeLength({ minItems = 0, maxItems }: ListShape): string {
  if (maxItems !== undefined) return ` of ${minItems} to ${maxItems}`;
  return minItems > 0 ? ` of at least ${minItems}` : "";
}

function describeExample({ items }: ListShape, value: unknown): string {
  if (Array.isArray(value) || isSecret(items) || issuesOf(value, items).length > 0) return "";
  return items.type === "code" || items.type === "object"
    ? ", in brackets even for a single one"
    : `, such as [${quote(value)}]`;
}

/** Long enough to recognise the value. */
const maxQuoted = 60;

function quote(value: unknown): string {
  const text = withoutCredentials(textOf(value));
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
}

function textOf(value: unknown): string {
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  const name: unknown = value.constructor?.name;
  if (name !== "Object" && name !== "Array" && name !== undefined) return `an object of ${String(name)}`;
  try {
    return JSON.stringify(value);
  } catch {
    return "an object";
  }
}
