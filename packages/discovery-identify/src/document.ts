import { type Auth, isNodeId, isPath, isPort, maxInfoBytes, type Scheme } from "@lmserv/discovery-core";
import { property } from "./json.ts";
import { maxModelLength, maxModels } from "./limits.ts";
import { clean, cutToBytes, readWord, readWords } from "./text.ts";

/** Where a server says what it is (RFC 8615). */
export const documentPath = "/.well-known/lmserv.json";

/**
 * The fixed port of `lmserv announce --document-port`.
 *
 * IANA assigns 8734 to 8749 to nobody; no known LLM server listens here; no privilege is needed, and no
 * system takes it for an outgoing connection (those start at 32768 or above): it is free wherever a host
 * offers a document.
 */
export const documentPort = 8_741;

/** What a server says of itself at `/.well-known/lmserv.json`. */
export interface WellKnownDocument {
  readonly schemaVersion: 1;
  readonly id?: string | null;
  readonly info?: string;
  /** Where the LLM server listens, on the same host. @default the port that serves the document */
  readonly port?: number;
  /** What it speaks there. @default that of the document on its own port, `http` on another */
  readonly scheme?: Scheme | null;
  /** Where its chat endpoint is, with its leading slash. */
  readonly path?: string | null;
  readonly server?: string | null;
  readonly version?: string | null;
  readonly apis?: readonly string[];
  readonly models?: readonly string[];
  readonly auth?: Auth | null;
}

const maxApis = 16;
const maxPathLength = 250;

/** A document as it was received, every field checked and none absent. */
export interface ReadDocument extends Required<Omit<WellKnownDocument, "schemaVersion" | "port">> {
  readonly port: number | null;
}

/**
 * Reads what a reply's JSON says; null when that is no document.
 *
 * Unknown fields are ignored, also those that name another host. A malformed id, port, scheme, path, info or
 * auth spoils the whole: it would send users to the wrong place. So does a port that is missing from a document
 * that breaks off, since it may stand in what was not read.
 */
export function readDocument(json: unknown, isCut: boolean): ReadDocument | null {
  if (property(json, "schemaVersion") !== 1) return null;
  const id = optional(property(json, "id"), isId);
  const info = optional(property(json, "info"), isText);
  const port = optional(property(json, "port"), isPort);
  const scheme = optional(property(json, "scheme"), isScheme);
  const path = optional(property(json, "path"), isOwnPath);
  const auth = optional(property(json, "auth"), isAuth);
  if (id === undefined || info === undefined || port === undefined) return null;
  if (scheme === undefined || path === undefined || auth === undefined || (isCut && port === null))
    return null;
  return {
    id,
    info: cutToBytes(clean(info ?? ""), maxInfoBytes),
    port,
    scheme,
    path,
    server: readWord(property(json, "server")),
    version: readWord(property(json, "version")),
    apis: readWords(list(property(json, "apis")), maxApis),
    models: readWords(list(property(json, "models")), maxModels, maxModelLength),
    auth,
  };
}

/** The value, null when it is absent, undefined when it is malformed. */
function optional<T>(value: unknown, isValid: (value: unknown) => value is T): T | null | undefined {
  if (value === undefined || value === null) return null;
  return isValid(value) ? value : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isId(value: unknown): value is string {
  return isText(value) && isNodeId(value);
}

function isAuth(value: unknown): value is Auth {
  return value === "none" || value === "required";
}

function isScheme(value: unknown): value is Scheme {
  return value === "http" || value === "https";
}

/** A path of the same host: `//other.example/` would lead to another in the hands of a URL parser. */
function isOwnPath(value: unknown): value is string {
  return isText(value) && value.length <= maxPathLength && isPath(value) && !/^\/[/\\]/.test(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
