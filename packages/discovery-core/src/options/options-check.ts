import { type CodeShape, issuesOf, type Path, type Shape } from "./shape.ts";

/** Shape of each option; a further option of the type requires its shape as well. */
export type OptionShapes<Options> = { readonly [Key in keyof Options]-?: Shape };

/**
 * Checks the options of a program, perhaps one without types.
 *
 * @param owner - Receiver of the options, such as `mdns`; the message begins with it.
 * @param options - An `undefined` option counts as absent.
 * @param required - Options that must be present. @default none
 * @throws {TypeError} for a missing or unknown option, or one of another type; {RangeError} for a value that
 * is not allowed. The message names the option, its value and what is allowed, but no secret.
 */
export function assertOptions<Options extends object>(
  owner: string,
  options: Options,
  shapes: OptionShapes<Options>,
  required: readonly (keyof Options & string)[] = [],
): void {
  const properties: Readonly<Record<string, Shape>> = shapes;
  assertShape(owner, "options", options, {
    type: "object",
    properties,
    required,
    additionalProperties: false,
  });
}

/** Checks a single value, such as an argument with a place of its own. */
export function assertShape(owner: string, name: string, value: unknown, shape: Shape): void {
  const [issue] = issuesOf(value, shape);
  if (!issue) return;
  const message = `${owner}: ${formatPath(issue.path) || name} ${issue.message}`;
  throw issue.isTypeError ? new TypeError(message) : new RangeError(message);
}

/** Formats `tls.key` or `transports[0]`. */
function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

export const functionShape: CodeShape = { type: "code", called: "a function" };

export const signalShape: CodeShape = {
  type: "code",
  called: "an AbortSignal",
  has: ["aborted", "addEventListener"],
};

/** Identity, or a function that resolves with it. */
export const identityShape: CodeShape = {
  type: "code",
  called: "an identity, as openIdentity() gives one",
  has: ["key", "epoch", "advance"],
  orFunction: true,
};

export const transportShape: CodeShape = {
  type: "code",
  called: "a transport, as the function of its package makes one",
  has: ["name", "open"],
};

/** Name of a transport in a composition. */
export const nameShape: Shape = { type: "string", minLength: 1 };
