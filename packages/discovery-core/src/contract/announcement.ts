import { maxAnsweringAddresses, readAnsweringAddresses } from "../addresses/answering-addresses.ts";
import { assertOptions, nameShape, type OptionShapes } from "../options/options-check.ts";
import { randomHex } from "../time/random.ts";
import type { Announcement } from "./node.ts";
import type { ResolvedAnnouncement } from "./transport.ts";

/** Bound of a TXT string, `key=` included (RFC 6763 section 6.1). */
const maxPairBytes = 255;
/** Bound of the text that fills a TXT string after `info=`. */
export const maxInfoBytes = 250;
/** Bound of the text that fills a TXT string after `path=`. */
const maxPathBytes = 250;
/** Bound of a DNS label (RFC 6763 section 4.1.1). */
const maxNameBytes = 63;
const maxIdLength = 128;

const texts = { type: "array", items: nameShape } as const;

const shapes: OptionShapes<Announcement> = {
  port: { type: "integer", minimum: 1, maximum: 65_535 },
  info: { type: "string" },
  id: { type: "string" },
  name: nameShape,
  scheme: { type: "string", enum: ["http", "https"] },
  path: { type: "string" },
  hostname: nameShape,
  server: nameShape,
  apis: texts,
  models: texts,
  modelsCut: { type: "boolean" },
  auth: { type: "string", enum: ["none", "required"] },
  addresses: { type: "array", items: { type: "string" }, minItems: 1, maxItems: maxAnsweringAddresses },
  attributes: { type: "object", properties: {}, additionalProperties: { type: "string" } },
};

/** @throws {TypeError | RangeError} for an unknown field or one of another type; the message names it. */
export function assertAnnouncement(announcement: Announcement): void {
  assertOptions("announce", announcement, shapes, ["port"]);
}

/**
 * Checks an announcement and gives it an identity if it has none.
 *
 * @throws {TypeError | RangeError} that names the value and what is allowed.
 */
export function completeAnnouncement(announcement: Announcement, random: () => number): ResolvedAnnouncement {
  assertAnnouncement(announcement);
  const { info = "", id = randomHex(random, 128), name, path, attributes = {}, addresses } = announcement;
  assertText("info", info, maxInfoBytes);
  assertId(id);
  if (name !== undefined) assertText("name", name, maxNameBytes);
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

function assertId(id: string): void {
  assertText("id", id, maxIdLength);
  if (isNodeId(id)) return;
  throw new RangeError(
    `id ${JSON.stringify(id)} must be 1 to ${maxIdLength} visible ASCII characters but ":"`,
  );
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
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= maxBytes) return;
  throw new RangeError(
    `${label} ${JSON.stringify(text)} takes ${bytes} bytes of UTF-8; at most ${maxBytes} are allowed`,
  );
}

/** True if a server can listen on `port`. */
export function isPort(port: unknown): port is number {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** True if `id` may be an announced identity; a `:` marks the `host:port` of a node without one. */
export function isNodeId(id: string): boolean {
  return id.length <= maxIdLength && /^[\x21-\x39\x3b-\x7e]+$/.test(id);
}

/** True if `path` can follow `http://host:port`. */
export function isPath(path: string): boolean {
  return /^\/[^\s\p{Cc}]*$/u.test(path);
}
