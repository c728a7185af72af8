/** Thrown for input without the agreed shape. */
export class ShapeError extends Error {}

type Read<T> = (value: unknown, name: string) => T;

/** @throws {ShapeError} unless the text is a JSON object of at most `maxBytes` of UTF-8. */
export function readObject(text: string, maxBytes: number): Readonly<Record<string, unknown>> {
  if (Buffer.byteLength(text) > maxBytes) throw new ShapeError(`longer than ${maxBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ShapeError("no JSON", { cause: error });
  }
  return object(value, "message");
}

export const object: Read<Readonly<Record<string, unknown>>> = (value, name) => {
  if (isObject(value)) return value;
  throw new ShapeError(`${name} is no object`);
};

/** Safe integer from `least` to `most`. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Read<number> {
  return (value, name) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) {
      return value;
    }
    throw new ShapeError(`${name} is no integer from ${least} to ${most}`);
  };
}

/** Text without lone surrogates, of at most `maxBytes` of UTF-8. */
export function text(maxBytes: number): Read<string> {
  return (value, name) => {
    if (typeof value === "string" && value.length <= maxBytes) {
      if (Buffer.byteLength(value) <= maxBytes && isWellFormed(value)) return value;
    }
    throw new ShapeError(`${name} is no text of at most ${maxBytes} bytes`);
  };
}

/** Text that `test` accepts. */
export function matching(test: (value: string) => boolean, maxBytes: number): Read<string> {
  const read = text(maxBytes);
  return (value, name) => {
    const candidate = read(value, name);
    if (test(candidate)) return candidate;
    throw new ShapeError(`${name} is invalid`);
  };
}

export function list<T>(item: Read<T>, maxItems: number): Read<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length > maxItems) {
      throw new ShapeError(`${name} is no list of at most ${maxItems}`);
    }
    return value.map((one, index) => item(one, `${name}[${index}]`));
  };
}

/** An object whose keys `isKey` accepts, with text for values. */
export function dictionary(
  isKey: (key: string) => boolean,
  value: Read<string>,
  maxItems: number,
): Read<Readonly<Record<string, string>>> {
  return (candidate, name) => {
    const pairs = Object.entries(object(candidate, name));
    if (pairs.length > maxItems) throw new ShapeError(`${name} has more than ${maxItems} entries`);
    return Object.fromEntries(
      pairs.map(([key, one]) => {
        if (!isKey(key)) throw new ShapeError(`${name} has an invalid key`);
        return [key, value(one, `${name}.${key}`)];
      }),
    );
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWellFormed(value: string): boolean {
  return !/\p{Surrogate}/u.test(value);
}
