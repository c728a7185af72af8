import type { ConfigFlags } from "@lmserv/discovery-config";
import type { Announcement, NodeFilter } from "@lmserv/discovery-core";
import type { CommandLine } from "../io/child.ts";
import type { Loudness } from "../output/reporter.ts";

/** Validated command line. */
export interface Request extends Loudness {
  /** Part for the configuration. */
  readonly flags: ConfigFlags;
  /** Names or addresses; empty for the configured ones, or all. */
  readonly interfaces: readonly string[];
}

/** Default time that a node stays listed without a sign of life, in ms. */
export const defaultTtlMs = 60_000;

/** Request of `lmserv discover`, with `--watch` or without. */
export interface SearchRequest extends Request {
  readonly json: boolean;
  /** Count of nodes that ends the search early; null to use the whole time. */
  readonly atLeast: number | null;
  readonly ttlMs: number;
  /** Null for no limit, or with `--watch` until a signal. */
  readonly timeoutMs: number | null;
  /** True to ask the servers for their health. */
  readonly check: boolean;
  readonly filter: NodeFilter;
  /** URL to print for each node, in place of the table; null for the table. */
  readonly print: UrlKind | null;
}

/** Endpoint, root or base for clients of OpenAI's API. */
export type UrlKind = "url" | "base" | "openai";

/** Request of `lmserv config print`. */
export interface PrintRequest extends Request {
  readonly json: boolean;
}

/** Request of `lmserv doctor`. */
export interface DoctorRequest extends Request {
  readonly json: boolean;
  /** Transports to examine if none is configured. */
  readonly unchosen: readonly string[];
}

/** Request of `lmserv announce`. */
export interface AnnounceRequest extends Request {
  /** Port of the only server to announce, or null for every LLM server of this machine. */
  readonly port: number | null;
  /** Further ports to search for servers. */
  readonly ports: readonly number[];
  /** Words of the user, which override those of the server. */
  readonly overrides: Omit<Announcement, "port" | "id">;
  /** True to announce only while a server answers on the port. */
  readonly check: boolean;
  /** Port of the document about the announced servers, or null for none. */
  readonly documentPort: number | null;
  /** Options to share servers that listen on loopback only; null to share none. */
  readonly share: ShareRequest | null;
}

/** Options of `--share`. */
export interface ShareRequest {
  /** File with the key that clients need, or null for none. */
  readonly keyFile: string | null;
}

/** Request of `lmserv run`. */
export interface RunRequest extends AnnounceRequest {
  readonly command: CommandLine;
}
