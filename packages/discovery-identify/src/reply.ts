import type { IncomingHttpHeaders } from "node:http";
import { parseJson } from "./json.ts";

/** One answer of a server, complete. */
export interface Reply {
  /** What was asked for. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body, or null when it is too long, compressed, or not UTF-8. */
  readonly text: string | null;
  /** What the body says when it is declared as JSON and is; undefined otherwise. */
  readonly json: unknown;
}

/** A body that was not read to its end is null. */
export function readReply(
  path: string,
  status: number,
  headers: IncomingHttpHeaders,
  body: Uint8Array | null,
): Reply {
  const text = body && isPlain(headers) ? decode(body) : null;
  const json = text !== null && isJson(headers) ? parseJson(text) : undefined;
  return { path, status, headers, text, json };
}

/** Neither compressed nor in another character set; what is compressed is never inflated. */
function isPlain(headers: IncomingHttpHeaders): boolean {
  if (!/^\s*(?:identity)?\s*$/i.test(headers["content-encoding"] ?? "")) return false;
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(headers["content-type"] ?? "")?.[1];
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset);
}

function isJson(headers: IncomingHttpHeaders): boolean {
  return /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers["content-type"] ?? "");
}

function decode(body: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return null;
  }
}
