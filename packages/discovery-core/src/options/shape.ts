import { withoutCredentials } from "../text/credentials.ts";
import { mendName } from "./nearest.ts";

/** What a value may be: the part of JSON Schema that options need, and what only a program can give. */
export type Shape = TextShape | NumberShape | FlagShape | ListShape | GroupShape | CodeShape;

export interface TextShape {
  readonly type: "string";
  readonly enum?: readonly string[];
  readonly minLength?: number;
  /** For editors: whoever reads the text says what is wrong with it. */
  readonly pattern?: string;
  /** Relative to what names it; a file must be there. */
  readonly format?: "file" | "path";
  /** A secret, or another text that is kept in a file of its own; no message shows it. */
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
  /** What other keys may hold; true for anything, false where there are none. */
  readonly additionalProperties: boolean | Shape;
}

/** A function, or an object by what it can do; neither has a place in a file. */
export interface CodeShape {
  readonly type: "code";
  /** What it is called in a message, such as `an AbortSignal`. */
  readonly called: string;
  /** The members that it must have. @default none: it is a function */
  readonly has?: readonly string[];
  /** Whether a function that makes it will do. @default false */
  readonly orFunction?: boolean;
}

export type Path = readonly PropertyKey[];

/** What is wrong with a value, or with something in it. */
export interface ShapeIssue {
  readonly path: Path;
  readonly message: string;
  /** Whether it is of another type, missing or unknown, and not just a value that is not allowed. */
  readonly isTypeError: boolean;
}

/** Everything that is wrong with a value; nothing that is wrong within what is wrong itself. */
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

/** An option that is `undefined` is one that is not there. */
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
      return [{ path: [...path, key], message: `is unknown; ${mendName(key, names)}`, isTypeError: true }];
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

/** Whether a value of the right type is one of those that are allowed; what it holds is looked at next. */
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

/** Whether it is a secret or holds one: even a value in the wrong place may be that. */
function isSecret(shape: Shape): boolean {
  if (shape.type === "array") return isSecret(shape.items);
  if (shape.type === "object") return Object.values(shape.properties).some(isSecret);
  return shape.type === "string" && shape.writeOnly === true;
}

/** @param value - What stands there: one item is likely to be meant as a list of it. */
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
