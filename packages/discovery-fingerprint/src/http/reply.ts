import type { IncomingHttpHeaders } from "node:http";
import { parseCutJson } from "./cut-json.ts";
import { parseJson } from "./json.ts";

/** Answer of a server, as far as it was read. */
export interface Reply {
  /** Path of the question. */
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Body, or null if it is compressed, or not UTF-8. */
  readonly text: string | null;
  /**
   * Parsed body if it is declared as JSON and valid; otherwise undefined. A cut body counts as far as it is
   * complete.
   */
  readonly json: unknown;
  /** True if the body goes on beyond the part that was read. */
  readonly isCut: boolean;
}

/** Received part of a body. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

export function readReply(path: string, status: number, headers: IncomingHttpHeaders, body: Body): Reply {
  const { isCut } = body;
  const type = readContentType(headers["content-type"]);
  const text = isIdentity(headers["content-encoding"]) && isUtf8(type.charset) ? decode(body) : null;
  const parse = isCut ? parseCutJson : parseJson;
  return {
    path,
    status,
    headers,
    text,
    json: text !== null && isJson(type) ? parse(text) : undefined,
    isCut,
  };
}

interface ContentType {
  /** In lower case. */
  readonly essence: string;
  /** In lower case; null if none is named. */
  readonly charset: string | null;
}

/** Parses RFC 9110 section 8.3.1, without quoted pairs: names of character sets have none. */
function readContentType(header = ""): ContentType {
  const [essence = "", ...parameters] = header.toLowerCase().split(";");
  const named = parameters.map((parameter) => parameter.trim()).find((text) => text.startsWith("charset="));
  const charset = named?.slice("charset=".length).replaceAll('"', "") ?? null;
  return { essence: essence.trim(), charset };
}

/** Compressed bodies are never inflated. */
function isIdentity(coding = ""): boolean {
  return ["", "identity"].includes(coding.trim().toLowerCase());
}

function isUtf8(charset: string | null): boolean {
  return charset === null || ["utf-8", "utf8", "us-ascii"].includes(charset);
}

function isJson({ essence }: ContentType): boolean {
  return essence.startsWith("application/") && /[/+]json$/.test(essence);
}

/** A cut may split a character; a cut body without any byte is not an empty one. */
function decode({ bytes, isCut }: Body): string | null {
  if (isCut && bytes.length === 0) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return null;
  }
}
