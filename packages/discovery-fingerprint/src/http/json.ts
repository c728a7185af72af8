/** Value of JSON text, or undefined if it is invalid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Value at a JSON pointer, or undefined; only own properties count.
 *
 * @see RFC 6901, without the escapes
 */
export function valueAt(json: unknown, pointer: string): unknown {
  let value = json;
  for (const key of pointer.split("/").slice(1)) value = property(value, key);
  return value;
}

/** Own property of an object or array, or undefined. */
export function property(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
