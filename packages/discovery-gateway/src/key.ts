import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** True if a request carries the key: as a bearer token, in `x-api-key`, or as the password of Basic. */
export function carriesKey(
  { authorization = "", "x-api-key": apiKey }: IncomingHttpHeaders,
  key: string,
): boolean {
  return [bearerOf(authorization), passwordOf(authorization), apiKey].some(
    (given) => typeof given === "string" && isSame(given, key),
  );
}

function bearerOf(authorization: string): string | null {
  return /^bearer (.*)$/i.exec(authorization)?.[1]?.trim() ?? null;
}

function passwordOf(authorization: string): string | null {
  const encoded = /^basic (.*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const credentials = Buffer.from(encoded, "base64").toString();
  const colon = credentials.indexOf(":");
  return colon < 0 ? null : credentials.slice(colon + 1);
}

/** Takes the same time for any input. */
function isSame(given: string, key: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(key));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
