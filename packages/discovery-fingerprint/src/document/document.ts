import type { Auth, Scheme } from "@lmserv/discovery-core";
import { isNodeId, isPath, isPort, maxInfoBytes } from "@lmserv/discovery-core/transport";
import { property } from "../http/json.ts";
import { maxModelLength, maxModels } from "../http/limits.ts";
import { clean, cutToBytes, readWord, readWords } from "../http/text.ts";

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

/** Description of a machine at `/.well-known/lmserv.json`: its LLM servers, and what the asked port is if it is none. */
export interface WellKnownDocument {
  readonly schemaVersion: 1;
  /** What listens at the port that serves the document, where that is no LLM server: `gateway`, ... @default unset */
  readonly role?: string | null;
  /** LLM servers of this machine, each port and each id once, at most 32. */
  readonly servers: readonly DocumentedServer[];
}

/** One LLM server of a document; everything may be left out. */
export interface DocumentedServer {
  readonly id?: string | null;
  readonly info?: string;
  /** Where it listens, on the same host. @default the port that serves the document */
  readonly port?: number;
  /** Protocol there. @default that of the document on its own port, `http` on another */
  readonly scheme?: Scheme | null;
  /** Path of its chat endpoint, with its leading slash. */
  readonly path?: string | null;
  readonly server?: string | null;
  readonly version?: string | null;
  readonly apis?: readonly string[];
  /** Names of its models, the first 256 count. */
  readonly models?: readonly string[];
  /** Whether the server has more models than these. @default false */
  readonly modelsCut?: boolean;
  readonly auth?: Auth | null;
}

/** More than a machine has; a list without end would fill the room that is kept for other hosts. */
export const maxServers = 32;
const maxApis = 16;
const maxPathLength = 250;

/** Server of a document as it was received, every field checked and none absent. */
export interface ReadServer extends Required<Omit<DocumentedServer, "port">> {
  /** Null where it is the port that serves the document. */
  readonly port: number | null;
}

/** A document as it was received. */
export interface ReadDocument {
  /** Null where the port that serves it may be a server. */
  readonly role: string | null;
  readonly servers: readonly ReadServer[];
}

/**
 * Reads what a reply's JSON says; null when that is no document.
 *
 * Unknown fields are ignored, also those that name another host. A malformed id, port, scheme, path, info or auth
 * spoils its server: it would send users to the wrong place. So does a role, since that of an LLM server is unset. Of a
 * document that breaks off, the servers that are complete count; before the first one, it says nothing.
 */
export function readDocument(json: unknown, isCut: boolean): ReadDocument | null {
  const entries = property(json, "servers");
  if (property(json, "schemaVersion") !== 1 || !Array.isArray(entries)) return null;
  const role = readRole(property(json, "role"));
  const servers = readServers(entries);
  return isCut && role === null && servers.length === 0 ? null : { role, servers };
}

/** Any role at all, also one that cannot be read, is no server's. */
function readRole(role: unknown): string | null {
  return role === undefined || role === null ? null : (readWord(role) ?? "unknown");
}

/** The first of those with one port or one id counts. */
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
