import {
  type Auth,
  type DiscoveryError,
  type DiscoveryErrorCode,
  type DownReason,
  type HealthState,
  type Model,
  type NodeHealth,
  type NodeInfo,
  type NodeSource,
  type Scheme,
  type Trust,
  visibleText,
} from "@lmserv/discovery-core";
import { type CheckCode, explain, type Verdict } from "@lmserv/discovery-core/transport";

// Documents about the list, held against the schemas of the command. Apart from the library's own shapes on
// purpose, so that those can change: a minor version adds keys, nothing else changes.

export { unreadyReason } from "./surface/readiness.ts";
export { type Target, targetsOf } from "./surface/targets.ts";

export const formatVersion = "1.1";

export interface DiscoverDocument {
  readonly formatVersion: typeof formatVersion;
  /** Every transport opened, settled and never failed, and nothing ended the search early. */
  readonly complete: boolean;
  readonly durationMs: number;
  readonly nodes: readonly NodeDocument[];
  readonly warnings: readonly WarningDocument[];
}

/** One line of `--json --watch`. */
export type WatchLine =
  | { readonly type: "version"; readonly formatVersion: typeof formatVersion }
  | { readonly type: "up" | "updated"; readonly node: NodeDocument }
  | { readonly type: "down"; readonly reason: DownReason; readonly node: NodeDocument }
  | ({ readonly type: "lost" } & WarningDocument)
  | { readonly type: "recovered"; readonly transport: string }
  | ({ readonly type: "warning" } & WarningDocument);

export interface NodeDocument {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly info: string;
  readonly hostname: string | null;
  readonly addresses: readonly string[];
  readonly path: string | null;
  readonly scheme: Scheme;
  readonly url: string | null;
  readonly baseUrl: string | null;
  readonly openaiUrl: string | null;
  readonly server: string | null;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly modelsCut: boolean;
  readonly auth: Auth | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly health: HealthDocument | null;
  readonly self: boolean;
  readonly sources: readonly SourceDocument[];
}

/** Outcome of the last check. */
interface HealthDocument {
  readonly state: HealthState;
  readonly models: readonly Model[];
  readonly loaded: readonly string[];
  readonly version?: string;
  readonly latencyMs: number | null;
  readonly checkedAt: string;
  readonly reason: string | null;
}

/** Times are ISO 8601 in UTC. */
interface SourceDocument {
  readonly transport: string;
  readonly key: string;
  readonly trust: Trust;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly expiresAt: string | null;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
}

export interface WarningDocument {
  readonly code: DiscoveryErrorCode;
  readonly transport: string | null;
  readonly message: string;
}

/** Findings of an examination of this machine. */
export interface DoctorDocument {
  readonly formatVersion: typeof formatVersion;
  /** Worst verdict of all checks, skipped ones aside. */
  readonly verdict: Exclude<Verdict, "skip">;
  readonly durationMs: number;
  readonly checks: readonly CheckDocument[];
}

export interface CheckDocument {
  readonly code: CheckCode;
  readonly verdict: Verdict;
  readonly transport: string | null;
  readonly interface: string | null;
  readonly message: string;
  readonly fix: string | null;
}

export function nodeDocument(node: NodeInfo): NodeDocument {
  const { id, host, port, info, hostname, addresses, path, scheme, url, baseUrl, openaiUrl } = node;
  const { server, apis, models, modelsCut, auth, attributes, health, self } = node;
  return {
    id,
    host,
    port,
    info,
    hostname,
    addresses,
    path,
    scheme,
    url,
    baseUrl,
    openaiUrl,
    server,
    apis,
    models,
    modelsCut,
    auth,
    attributes,
    health: health && healthDocument(health),
    self,
    sources: node.sources.map(sourceDocument),
  };
}

function healthDocument(health: NodeHealth): HealthDocument {
  const { state, models, loaded, version, latencyMs, checkedAt, reason } = health;
  return { state, models, loaded, ...(version !== undefined && { version }), latencyMs, checkedAt, reason };
}

function sourceDocument(source: NodeSource): SourceDocument {
  const { transport, key, trust, firstSeenAt, lastSeenAt, expiresAt, stale, relayed } = source;
  return {
    transport,
    key,
    trust,
    firstSeen: firstSeenAt,
    lastSeen: lastSeenAt,
    expiresAt,
    stale,
    relayed,
  };
}

export function warningDocument(error: DiscoveryError): WarningDocument {
  return { code: error.code, transport: error.via, message: explain(error) };
}

/** One line of JSON, in which all that `visibleText` would replace is escaped. */
export function toJsonLine(value: object): string {
  return `${visibleText(JSON.stringify(value), escaped)}\n`;
}

/** As JSON writes it: a code unit at a time. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}
