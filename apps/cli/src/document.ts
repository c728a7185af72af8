import type {
  Auth,
  Check,
  CheckCode,
  Clock,
  DiscoveryError,
  DiscoveryErrorCode,
  DownReason,
  NodeInfo,
  NodeSource,
  Trust,
  Verdict,
} from "@lmserv/discovery-core";
import { explain } from "./failure.ts";

// What `--json` prints, held against `schema/*.schema.json`. Apart from the library's own shapes on
// purpose, so that those can change: a minor version adds keys, nothing else changes.

export const formatVersion = "1.0";

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
  | ({ readonly type: "warning" } & WarningDocument);

export interface NodeDocument {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly info: string;
  readonly hostname: string | null;
  readonly addresses: readonly string[];
  readonly path: string | null;
  readonly url: string | null;
  readonly server: string | null;
  readonly apis: readonly string[];
  readonly models: readonly string[];
  readonly auth: Auth | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly self: boolean;
  readonly sources: readonly SourceDocument[];
}

/** Times are ISO 8601 in UTC. */
interface SourceDocument {
  readonly transport: string;
  readonly key: string;
  readonly trust: Trust;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly expiresAt: string;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
}

export interface WarningDocument {
  readonly code: DiscoveryErrorCode;
  readonly transport: string | null;
  readonly message: string;
}

export interface ConfigDocument {
  readonly formatVersion: typeof formatVersion;
  readonly file: string | null;
  readonly settings: readonly SettingDocument[];
}

interface SettingDocument {
  readonly path: string;
  /** Null for a secret. */
  readonly value: unknown;
  readonly secret: boolean;
  /** As people read it. */
  readonly origin: string;
}

export interface DoctorDocument {
  readonly formatVersion: typeof formatVersion;
  /** The worst of all checks, those that were not made aside. */
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
  readonly mend: string | null;
}

export function checkDocument(check: Check): CheckDocument {
  const { code, verdict, transport, interface: on, message, mend } = check;
  return { code, verdict, transport, interface: on, message, mend };
}

export function nodeDocument(node: NodeInfo, clock: Clock): NodeDocument {
  const { id, host, port, info, hostname, addresses, path, url } = node;
  const { server, apis, models, auth, attributes, self } = node;
  const sources = node.sources.map((source) => sourceDocument(source, clock));
  return {
    id,
    host,
    port,
    info,
    hostname,
    addresses,
    path,
    url,
    server,
    apis,
    models,
    auth,
    attributes,
    self,
    sources,
  };
}

function sourceDocument(source: NodeSource, clock: Clock): SourceDocument {
  const { transport, key, trust, firstSeenMs, lastSeenMs, expiresMs, stale, relayed } = source;
  const zeroMs = clock.wall() - clock.now();
  const iso = (ms: number): string => new Date(zeroMs + ms).toISOString();
  return {
    transport,
    key,
    trust,
    firstSeen: iso(firstSeenMs),
    lastSeen: iso(lastSeenMs),
    expiresAt: iso(expiresMs),
    stale,
    relayed,
  };
}

export function warningDocument(error: DiscoveryError): WarningDocument {
  return { code: error.code, transport: error.via, message: explain(error) };
}

/**
 * One line of JSON.
 *
 * Escapes more than JSON must: what steers terminals, and what some readers take for the end of a line.
 */
export function toJsonLine(value: DiscoverDocument | WatchLine | DoctorDocument | ConfigDocument): string {
  const json = JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${json}\n`;
}
