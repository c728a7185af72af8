import type { Announcement } from "./node.ts";
import { randomHex } from "./random.ts";
import type { Announced } from "./transport.ts";

/** One TXT string of `info=` and this many bytes fills its 255 (RFC 6763 section 6.1). */
export const maxInfoBytes = 250;
const maxIdLength = 128;

/**
 * Checks an announcement and gives it an identity if it has none.
 *
 * @throws {TypeError | RangeError} that names the value and what is allowed.
 */
export function completeAnnouncement(announcement: Announcement, random: () => number): Announced {
  const { port, info = "", id = randomHex(random, 128), path } = announcement;
  assertPort(port);
  assertInfo(info);
  if (!isNodeId(id)) {
    throw new RangeError(
      `id ${JSON.stringify(id)} must be 1 to ${maxIdLength} visible ASCII characters but ":"`,
    );
  }
  if (path !== undefined && !isPath(path)) {
    throw new RangeError(
      `path ${JSON.stringify(path)} must start with "/" and hold neither spaces nor control characters`,
    );
  }
  return { ...announcement, info, id };
}

/** @throws {RangeError} unless `port` is an integer in 1..65535. */
export function assertPort(port: number): void {
  if (!isPort(port)) throw new RangeError(`port ${port} must be an integer from 1 to 65535`);
}

function assertInfo(info: string): void {
  if (typeof info !== "string") throw new TypeError(`info must be a string, not ${typeof info}`);
  const bytes = new TextEncoder().encode(info).length;
  if (bytes > maxInfoBytes) {
    throw new RangeError(
      `info ${JSON.stringify(info)} takes ${bytes} bytes of UTF-8; at most ${maxInfoBytes} are allowed`,
    );
  }
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
