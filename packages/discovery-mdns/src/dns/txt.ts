const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Limit that RFC 6763 section 6.2 recommends. */
export const maxTxtBytes = 1_300;
const maxStringBytes = 255;
/** Printable ASCII without `=` (RFC 6763 section 6.4). */
const keyPattern = /^[\x20-\x3c\x3e-\x7e]+$/;

/** Key-value pairs of a service, the most important first. */
export type Attributes = Readonly<Record<string, string>>;

/**
 * Writes key-value pairs as TXT strings.
 *
 * @throws {RangeError} for a key or a pair that cannot be written, or for more than 1,300 bytes in all.
 * @see RFC 6763 section 6.4
 */
export function encodeTxt(attributes: Attributes): Uint8Array[] {
  const strings = Object.entries(attributes).map(([key, value]) => encodePair(key, value));
  const total = strings.reduce((sum, string) => sum + string.length + 1, 0);
  if (total > maxTxtBytes) {
    throw new RangeError(`the attributes take ${total} bytes; at most ${maxTxtBytes} are allowed`);
  }
  return strings;
}

function encodePair(key: string, value: string): Uint8Array {
  if (!keyPattern.test(key)) {
    throw new RangeError(`attribute ${JSON.stringify(key)} must be printable ASCII without "="`);
  }
  const pair = encoder.encode(`${key}=${value}`);
  if (pair.length > maxStringBytes) {
    throw new RangeError(
      `attribute ${JSON.stringify(key)} takes ${pair.length} bytes with its value; at most ${maxStringBytes} are allowed`,
    );
  }
  return pair;
}

/**
 * Reads TXT strings as key-value pairs.
 *
 * Keys become lower case, and the first of a key counts. A string without a valid key is ignored. A key
 * without `=` has the empty value. Bytes that are no UTF-8 become U+FFFD.
 *
 * Bytes after the first 1,300 are ignored: a record of 9,000 may hold thousands of keys.
 *
 * @see RFC 6763 section 6.4
 */
export function decodeTxt(strings: readonly Uint8Array[]): Attributes {
  const attributes = new Map<string, string>();
  let total = 0;
  for (const string of strings) {
    total += string.length + 1;
    if (total > maxTxtBytes) break;
    const text = decoder.decode(string);
    const sign = text.indexOf("=");
    const key = sign === -1 ? text : text.slice(0, sign);
    const value = sign === -1 ? "" : text.slice(sign + 1);
    const name = key.toLowerCase();
    if (keyPattern.test(key) && !attributes.has(name)) attributes.set(name, value);
  }
  return Object.fromEntries(attributes);
}
