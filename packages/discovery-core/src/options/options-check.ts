import { type CodeShape, issuesOf, type Path, type Shape } from "./shape.ts";

/** A shape for each option, so that a type that gets a further option wants its shape as well. */
export type OptionShapes<Options> = { readonly [Key in keyof Options]-?: Shape };

/**
 * Checks what a program, perhaps one without types, gives as options.
 *
 * @param owner - What they are given to, such as `mdns`; the message begins with it.
 * @param options - An option that is `undefined` is one that is not there.
 * @param required - Those that must be there. @default none
 * @throws {TypeError} when one is missing, unknown or of another type; {RangeError} for a value that is not allowed. The
 *   message names the option, its value and what is allowed, but no secret.
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

/** The same for a single value, such as an argument with a place of its own. */
export function assertShape(owner: string, name: string, value: unknown, shape: Shape): void {
  const [issue] = issuesOf(value, shape);
  if (!issue) return;
  const message = `${owner}: ${formatPath(issue.path) || name} ${issue.message}`;
  throw issue.isTypeError ? new TypeError(message) : new RangeError(message);
}

/** `tls.key`, `transports[0]` */
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

/** Who announces, or a function that resolves with it. */
export const identityShape: CodeShape = {
  type: "code",
  called: "an identity, as openIdentity() gives one",
  has: ["key", "epoch", "advance"],
  orFunction: true,
};

export const transportShape: CodeShape = {
  type: "code",
  called: "a transport, as mdns() makes one",
  has: ["name", "open"],
};

/** What a transport is called in a composition. */
export const nameShape: Shape = { type: "string", minLength: 1 };
