import type { Announcement } from "@lmserv/discovery-core";
import type { Loudness } from "./reporter.ts";

/** What every command line says, validated. */
export interface Request extends Loudness {
  readonly transports: readonly string[];
  /** Names or addresses; empty for every usable one. */
  readonly interfaces: readonly string[];
}

interface SearchRequest extends Request {
  readonly json: boolean;
  /** How many nodes are enough to end early; null to use all the time there is. */
  readonly atLeast: number | null;
  readonly ttlMs: number;
}

/** `lmserv discover` */
export interface DiscoverRequest extends SearchRequest {
  readonly timeoutMs: number;
}

/** `lmserv discover --watch` */
export interface WatchRequest extends SearchRequest {
  /** Null to watch until a signal. */
  readonly timeoutMs: number | null;
}

/** `lmserv announce` */
export interface AnnounceRequest extends Request {
  readonly announcement: Announcement;
  /** Whether to announce only while a server answers on the port. */
  readonly check: boolean;
  /** Where to serve the document of the server, or null not to. */
  readonly documentPort: number | null;
}
