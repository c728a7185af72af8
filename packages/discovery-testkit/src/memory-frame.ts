import type { SeenNode } from "@lmserv/discovery-core";
import {
  type Announced,
  type Auth,
  isNodeId,
  isPath,
  isPort,
  maxInfoBytes,
  type Scheme,
} from "@lmserv/discovery-core";

/** What a frame says of a node; where it is, the receiver learns from the sender's address. */
type Described = Omit<SeenNode, "addresses" | "trust"> & { readonly id: string };

/** What hosts say to each other on a `MemoryNetwork`. */
export type Frame = Query | Claim | Presence | Goodbye;

/** Asks every node, or the one with `id`, to say that it is there. */
interface Query {
  readonly kind: "query";
  readonly id: string | null;
}

/** Asks whether a name is taken. */
interface Claim {
  readonly kind: "claim";
  readonly name: string;
}

export interface Presence {
  readonly kind: "presence";
  readonly name: string;
  readonly ttlMs: number;
  readonly node: Described;
}

interface Goodbye {
  readonly kind: "goodbye";
  readonly id: string;
}

/** Bounds whatever a frame may hold; a description with every field filled takes a tenth. */
export const maxFrameBytes = 8_192;
/** The range of `BrowseQuery.ttlMs`: a shorter time would let a stranger set the pace of questions. */
const minTtlMs = 1_000;
const maxTtlMs = 86_400_000;

/** The name under which a node is announced, chosen or made of what it says of itself. */
export function nameOf(node: Announced): string {
  return node.name ?? `${node.info || "node"} ${node.id}`;
}

export function presenceOf(node: Announced, ttlMs: number): Presence {
  const { id, port, info, attributes = {}, apis = [], models = [] } = node;
  const { hostname = null, scheme = "http", path = null, server = null, auth = null } = node;
  const described = { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes };
  return { kind: "presence", name: nameOf(node), ttlMs, node: described };
}

/** @throws {RangeError} when the frame is larger than a receiver takes. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(frame));
  if (bytes.length > maxFrameBytes) {
    throw new RangeError(
      `a frame of ${bytes.length} bytes is too large; at most ${maxFrameBytes} are allowed`,
    );
  }
  return bytes;
}

/** The frame, or null when the bytes are none. */
export function decodeFrame(bytes: Uint8Array): Frame | null {
  const value = bytes.length > maxFrameBytes ? null : parse(bytes);
  if (!isRecord(value)) return null;
  const { kind, id, name } = value;
  if (kind === "query") return id === null || isId(id) ? { kind, id } : null;
  if (kind === "claim") return isName(name) ? { kind, name } : null;
  if (kind === "goodbye") return isId(id) ? { kind, id } : null;
  if (kind === "presence") return decodePresence(value);
  return null;
}

function decodePresence({ name, ttlMs, node: described }: Fields): Presence | null {
  if (!isName(name) || !isTtl(ttlMs) || !isRecord(described)) return null;
  const { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes } = described;
  if (!isId(id) || !isPort(port) || !isScheme(scheme) || !isInfo(info)) return null;
  if (!isTextOrNull(hostname) || !isTextOrNull(path) || !isTextOrNull(server)) return null;
  if (!isTextList(apis) || !isTextList(models) || !isAuthOrNull(auth) || !isTextRecord(attributes))
    return null;
  if (path !== null && !isPath(path)) return null;
  const node = { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes };
  return { kind: "presence", name, ttlMs, node };
}

type Fields = Readonly<Record<string, unknown>>;

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === "string" && isNodeId(value);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTtl(value: unknown): value is number {
  return typeof value === "number" && value >= minTtlMs && value <= maxTtlMs;
}

function isInfo(value: unknown): value is string {
  return typeof value === "string" && new TextEncoder().encode(value).length <= maxInfoBytes;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}

function isScheme(value: unknown): value is Scheme {
  return value === "http" || value === "https";
}

function isAuthOrNull(value: unknown): value is Auth | null {
  return value === null || value === "none" || value === "required";
}
