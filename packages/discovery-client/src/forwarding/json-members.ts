/** Bytes of a value within its document, from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openers: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const closers: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const spaces: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Spans of the values of a JSON object, by key; the last of equal keys counts (RFC 8259 section 4).
 *
 * Bodies hold images of many megabytes: they are scanned once, and neither copied nor decoded. A document
 * that is no object, or ends early, has no members. The text between delimiters is not validated.
 */
export function jsonMembers(bytes: Uint8Array): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>();
  let at = skipSpaces(bytes, 0);
  if (bytes[at] !== 0x7b) return members;
  do {
    at = skipSpaces(bytes, at + 1);
    if (bytes[at] !== quote) return at < bytes.length ? members : new Map();
    const keyEnd = stringEnd(bytes, at);
    const key = jsonValue(bytes, { start: at, end: keyEnd });
    const start = skipSpaces(bytes, skipSpaces(bytes, keyEnd) + 1);
    if (bytes[skipSpaces(bytes, keyEnd)] !== colon || typeof key !== "string") return new Map();
    at = valueEnd(bytes, start);
    if (at >= bytes.length) return new Map();
    members.set(key, { start, end: trimEnd(bytes, start, at) });
  } while (bytes[at] === comma);
  return members;
}

/** Value of a span, or undefined if it is no JSON. */
export function jsonValue(bytes: Uint8Array, { start, end }: Span): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  } catch {
    return undefined;
  }
}

/** Copy of a document with another value in a span. */
export function withValue(bytes: Uint8Array, { start, end }: Span, value: unknown): Uint8Array {
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(JSON.stringify(value)), bytes.subarray(end)]);
}

function skipSpaces(bytes: Uint8Array, from: number): number {
  let at = from;
  while (spaces.has(bytes[at] ?? -1)) at += 1;
  return at;
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && spaces.has(bytes[at - 1] ?? -1)) at -= 1;
  return at;
}

/** End of the string that begins at `from`, or the length of the document. */
function stringEnd(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(quote, from + 1);
  while (at >= 0 && isEscaped(bytes, at)) at = bytes.indexOf(quote, at + 1);
  return at < 0 ? bytes.length : at + 1;
}

function isEscaped(bytes: Uint8Array, at: number): boolean {
  let first = at;
  while (bytes[first - 1] === backslash) first -= 1;
  return (at - first) % 2 === 1;
}

/** Offset of the comma or the brace after a value, or the length of the document. */
function valueEnd(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (depth === 0 && (byte === comma || closers.has(byte))) return at;
    if (openers.has(byte)) depth += 1;
    else if (closers.has(byte)) depth -= 1;
    at = byte === quote ? stringEnd(bytes, at) : at + 1;
  }
  return at;
}
