import type { ConfigFlags } from "@lmserv/discovery-config";
import type { Announcement, NodeFilter } from "@lmserv/discovery-core";
import type { CommandLine } from "../io/child.ts";
import type { Loudness } from "../output/reporter.ts";

/** What every command line says, validated. */
export interface Request extends Loudness {
  /** What it says of the configuration. */
  readonly flags: ConfigFlags;
  /** Names or addresses; empty for those that are configured, or all. */
  readonly interfaces: readonly string[];
}

/** How long a node stays listed without a sign of life unless told otherwise, in ms. */
export const defaultTtlMs = 60_000;

/** `lmserv discover`, with `--watch` or without. */
export interface SearchRequest extends Request {
  readonly json: boolean;
  /** How many nodes are enough to end early; null to use all the time there is. */
  readonly atLeast: number | null;
  readonly ttlMs: number;
  /** Null for as long as it takes, or with `--watch` until a signal. */
  readonly timeoutMs: number | null;
  /** Whether the servers are asked how they are. */
  readonly check: boolean;
  readonly filter: NodeFilter;
  /** URL to print for each node, in place of the table; null for the table. */
  readonly print: UrlKind | null;
}

/** Endpoint, root or base for clients of OpenAI's API. */
export type UrlKind = "url" | "base" | "openai";

/** `lmserv config print` */
export interface PrintRequest extends Request {
  readonly json: boolean;
}

/** `lmserv doctor` */
export interface DoctorRequest extends Request {
  readonly json: boolean;
}

/** `lmserv announce` */
export interface AnnounceRequest extends Request {
  /** Port of the only server to announce, or null for every LLM server of this machine. */
  readonly port: number | null;
  /** Further ports to look for servers on. */
  readonly ports: readonly number[];
  /** Words of the user, which override those of the server. */
  readonly overrides: Omit<Announcement, "port" | "id">;
  /** Whether to announce only while a server answers on the port. */
  readonly check: boolean;
  /** Where to serve the document about what is announced, or null not to. */
  readonly documentPort: number | null;
  /** Whether servers that listen on loopback only are offered to others, and how; null for not at all. */
  readonly share: ShareRequest | null;
}

/** `--share` */
export interface ShareRequest {
  /** File with the key that clients need, or null for none. */
  readonly keyFile: string | null;
}

/** `lmserv run` */
export interface RunRequest extends AnnounceRequest {
  readonly command: CommandLine;
}
