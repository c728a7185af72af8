import { readAnsweringAddresses } from "./answering-addresses.ts";
import type { Announcement } from "./node.ts";
import { randomHex } from "./random.ts";
import type { Announced } from "./transport.ts";

/** One TXT string holds this much, `key=` included (RFC 6763 section 6.1). */
const maxPairBytes = 255;
/** `info=` and this many bytes fill one TXT string. */
export const maxInfoBytes = 250;
/** `path=` and this many bytes fill one TXT string. */
const maxPathBytes = 250;
/** One DNS label (RFC 6763 section 4.1.1). */
const maxNameBytes = 63;
const maxIdLength = 128;

/**
 * Checks an announcement and gives it an identity if it has none.
 *
 * @throws {TypeError | RangeError} that names the value and what is allowed.
 */
export function completeAnnouncement(announcement: Announcement, random: () => number): Announced {
  const { port, scheme, info = "", id = randomHex(random, 128), name, path, attributes = {} } = announcement;
  const { addresses } = announcement;
  assertPort(port);
  if (scheme !== undefined) assertScheme(scheme);
  assertText("info", info, maxInfoBytes);
  assertId(id);
  if (name !== undefined) assertName(name);
  if (path !== undefined) assertPath(path);
  for (const pair of Object.entries(attributes)) assertAttribute(pair);
  const answering = addresses === undefined ? {} : { addresses: readAnsweringAddresses(addresses) };
  return { ...announcement, info, id, ...answering };
}

/** @throws {RangeError} unless `port` is an integer in 1..65535. */
export function assertPort(port: number): void {
  const shown = typeof port === "number" ? port : JSON.stringify(port);
  if (!isPort(port)) throw new RangeError(`port ${shown} must be an integer from 1 to 65535`);
}

function assertScheme(scheme: string): void {
  if (scheme === "http" || scheme === "https") return;
  throw new RangeError(`scheme ${JSON.stringify(scheme)} must be "http" or "https"`);
}

function assertId(id: string): void {
  assertText("id", id, maxIdLength);
  if (isNodeId(id)) return;
  throw new RangeError(
    `id ${JSON.stringify(id)} must be 1 to ${maxIdLength} visible ASCII characters but ":"`,
  );
}

function assertName(name: string): void {
  assertText("name", name, maxNameBytes);
  if (name === "") throw new RangeError(`name "" must have 1 to ${maxNameBytes} bytes of UTF-8`);
}

function assertPath(path: string): void {
  assertText("path", path, maxPathBytes);
  if (isPath(path)) return;
  throw new RangeError(
    `path ${JSON.stringify(path)} must start with "/" and hold neither spaces nor control characters`,
  );
}

/** Keys as in RFC 6763 section 6.4. */
function assertAttribute([key, value]: [string, string]): void {
  assertText(`attribute ${JSON.stringify(key)}`, value, maxPairBytes - key.length - "=".length);
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(key)) return;
  throw new RangeError(`attribute key ${JSON.stringify(key)} must be printable ASCII without "="`);
}

function assertText(label: string, text: string, maxBytes: number): void {
  if (typeof text !== "string") throw new TypeError(`${label} must be a string, not ${typeof text}`);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= maxBytes) return;
  throw new RangeError(
    `${label} ${JSON.stringify(text)} takes ${bytes} bytes of UTF-8; at most ${maxBytes} are allowed`,
  );
}

/** Whether a server can listen on `port`. */
export function isPort(port: unknown): port is number {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** Whether `id` may stand as an announced identity; a `:` marks the `host:port` of a node that has none. */
export function isNodeId(id: string): boolean {
  return id.length <= maxIdLength && /^[\x21-\x39\x3b-\x7e]+$/.test(id);
}

/** Whether `path` can follow `http://host:port`. */
export function isPath(path: string): boolean {
  return /^\/[^\s\p{Cc}]*$/u.test(path);
}
