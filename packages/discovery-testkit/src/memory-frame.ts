import { isNodeId, type ResolvedAnnouncement, type SeenNode } from "@lmserv/discovery-core/transport";
import { assertValidNode } from "./conformance/validity.ts";

/** Node in a frame; the receiver takes its address from the sender. */
type Described = Omit<SeenNode, "addresses" | "trust"> & { readonly id: string };

/** Frame between hosts on a `MemoryNetwork`. */
export type Frame = Query | Claim | Presence | Goodbye;

/** Asks every node, or the one with `id`, to answer. */
interface Query {
  readonly kind: "query";
  readonly id: string | null;
}

/** Asks if a name is taken. */
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

/** Bound on a frame; a description with every field filled takes a tenth. */
export const maxFrameBytes = 8_192;
/** Range of `BrowseQuery.ttlMs`: a shorter time would let a stranger set the pace of questions. */
const minTtlMs = 1_000;
const maxTtlMs = 86_400_000;

/** Announced name of a node, chosen or made from its fields. */
export function nameOf(node: ResolvedAnnouncement): string {
  return node.name ?? `${node.info || "node"} ${node.id}`;
}

export function presenceOf(node: ResolvedAnnouncement, ttlMs: number): Presence {
  const { id, port, info, attributes = {}, apis = [], models = [] } = node;
  const { hostname = null, scheme = "http", path = null, server = null, auth = null } = node;
  const described = { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes };
  return { kind: "presence", name: nameOf(node), ttlMs, node: described };
}

/** @throws {RangeError} when the frame is larger than a receiver accepts. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(frame));
  if (bytes.length > maxFrameBytes) {
    throw new RangeError(
      `a frame of ${bytes.length} bytes is too large; at most ${maxFrameBytes} are allowed`,
    );
  }
  return bytes;
}

/** Frame, or null for invalid bytes. */
export function decodeFrame(bytes: Uint8Array): Frame | null {
  const value = bytes.length > maxFrameBytes ? null : parse(bytes);
  if (!isRecord(value)) return null;
  const { kind, id, name, ttlMs, node } = value;
  if (kind === "query") return id === null || isId(id) ? { kind, id } : null;
  if (kind === "claim") return isName(name) ? { kind, name } : null;
  if (kind === "goodbye") return isId(id) ? { kind, id } : null;
  if (kind !== "presence" || !isName(name) || !isTtl(ttlMs)) return null;
  const described = describedBy(node);
  return described && { kind, name, ttlMs, node: described };
}

function describedBy(fields: unknown): Described | null {
  if (!isRecord(fields)) return null;
  const { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes } = fields;
  const said = { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes };
  const node = { ...said, trust: "announced", addresses: [{ address: "198.18.0.0", reach: "source" }] };
  try {
    assertValidNode(node as SeenNode);
    return id === null ? null : (said as Described);
  } catch {
    return null;
  }
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
