import type { Auth, Scheme } from "@lmserv/discovery-core";
import { isNodeId, isPath, isPort, maxInfoBytes } from "@lmserv/discovery-core/transport";
import { property } from "../http/json.ts";
import { maxModelLength, maxModels } from "../http/limits.ts";
import { clean, cutToBytes, readWord, readWords } from "../http/text.ts";

/** Path of a server's own description (RFC 8615). */
export const documentPath = "/.well-known/lmserv.json";

/**
 * Fixed port of `lmserv announce --document-port`.
 *
 * IANA leaves 8734 to 8749 unassigned, and no known LLM server listens here. It needs no privilege, and no
 * system uses it for outgoing connections (those start at 32768 or above). It is free wherever a host offers
 * a document.
 */
export const documentPort = 8_741;

/**
 * Description of a machine at `/.well-known/lmserv.json`: its LLM servers, and the kind of the asked port if
 * it is none.
 */
export interface WellKnownDocument {
  readonly schemaVersion: 1;
  /** Kind of the port that serves the document, if it is no LLM server: `gateway`, ... @default unset */
  readonly role?: string | null;
  /** LLM servers of this machine, each port and each id once, at most 32. */
  readonly servers: readonly DocumentedServer[];
}

/** LLM server of a document; every field is optional. */
export interface DocumentedServer {
  readonly id?: string | null;
  readonly info?: string;
  /** Port on the same host. @default the port that serves the document */
  readonly port?: number;
  /** Protocol of the port. @default that of the document on its own port, `http` on another */
  readonly scheme?: Scheme | null;
  /** Path of its chat endpoint, with its leading slash. */
  readonly path?: string | null;
  readonly server?: string | null;
  readonly version?: string | null;
  readonly apis?: readonly string[];
  /** Names of its models, of which the first 256 count. */
  readonly models?: readonly string[];
  /** True if the server has more models than these. @default false */
  readonly modelsCut?: boolean;
  readonly auth?: Auth | null;
}

/** Bound on servers, above any machine's; an endless list would take the room of other hosts. */
export const maxServers = 32;
const maxApis = 16;
const maxPathLength = 250;

/** Received server of a document, every field checked and none absent. */
export interface ReadServer extends Required<Omit<DocumentedServer, "port">> {
  /** Null for the port that serves the document. */
  readonly port: number | null;
}

export interface ReadDocument {
  /** Null if the port that serves it may be a server. */
  readonly role: string | null;
  readonly servers: readonly ReadServer[];
}

/**
 * Parses the JSON of a reply; null if it is no document.
 *
 * Unknown fields are ignored, also those that name another host. A malformed id, port, scheme, path, info or
 * auth spoils its server: it would lead users to the wrong place. So does a role, since an LLM server has
 * none. Of a document that breaks off, complete servers count; before the first one, it says nothing.
 */
export function readDocument(json: unknown, isCut: boolean): ReadDocument | null {
  const entries = property(json, "servers");
  if (property(json, "schemaVersion") !== 1 || !Array.isArray(entries)) return null;
  const role = readRole(property(json, "role"));
  const servers = readServers(entries);
  return isCut && role === null && servers.length === 0 ? null : { role, servers };
}

/** Any role, even an unreadable one, excludes an LLM server. */
function readRole(role: unknown): string | null {
  return role === undefined || role === null ? null : (readWord(role) ?? "unknown");
}

/** Of several with one port or one id, the first counts. */
function readServers(entries: readonly unknown[]): readonly ReadServer[] {
  const servers: ReadServer[] = [];
  for (const entry of entries.slice(0, maxServers)) {
    const read = readServer(entry);
    const isTaken = servers.some(({ id, port }) => port === read?.port || (id !== null && id === read?.id));
    if (read && !isTaken) servers.push(read);
  }
  return servers;
}

function readServer(entry: unknown): ReadServer | null {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return null;
  if (readRole(property(entry, "role")) !== null) return null;
  const id = optional(property(entry, "id"), isId);
  const info = optional(property(entry, "info"), isText);
  const port = optional(property(entry, "port"), isPort);
  const scheme = optional(property(entry, "scheme"), isScheme);
  const path = optional(property(entry, "path"), isOwnPath);
  const auth = optional(property(entry, "auth"), isAuth);
  if (id === undefined || info === undefined || port === undefined) return null;
  if (scheme === undefined || path === undefined || auth === undefined) return null;
  const models = readWords(list(property(entry, "models")), maxModels + 1, maxModelLength);
  return {
    id,
    info: cutToBytes(clean(info ?? ""), maxInfoBytes),
    port,
    scheme,
    path,
    server: readWord(property(entry, "server")),
    version: readWord(property(entry, "version")),
    apis: readWords(list(property(entry, "apis")), maxApis),
    models: models.slice(0, maxModels),
    modelsCut: models.length > maxModels || property(entry, "modelsCut") === true,
    auth,
  };
}

/** Value, null if it is absent, undefined if it is malformed. */
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

/** Path of the same host: a URL parser takes `//other.example/` for another host. */
function isOwnPath(value: unknown): value is string {
  return isText(value) && value.length <= maxPathLength && isPath(value) && !/^\/[/\\]/.test(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
