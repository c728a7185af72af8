import type { Announcement } from "@lmserv/discovery-core";
import type { MeshRequest } from "./mesh-options.ts";
import type { Loudness } from "./reporter.ts";

/** What every command line says, validated. */
export interface Request extends Loudness {
  readonly transports: readonly string[];
  /** Names or addresses; empty for every usable one. */
  readonly interfaces: readonly string[];
  /** When the mesh is among the transports. */
  readonly mesh?: MeshRequest;
}

/** `lmserv discover`, with `--watch` or without. */
export interface SearchRequest extends Request {
  readonly json: boolean;
  /** How many nodes are enough to end early; null to use all the time there is. */
  readonly atLeast: number | null;
  readonly ttlMs: number;
  /** Null for as long as it takes, or with `--watch` until a signal. */
  readonly timeoutMs: number | null;
  /** Whether every address of the subnet is asked. */
  readonly sweep: boolean;
  /** Which ports every host is asked at; null for those that are usual. */
  readonly ports: readonly number[] | null;
}

/** `lmserv doctor` */
export interface DoctorRequest extends Request {
  readonly json: boolean;
  /** Whether neighbours are looked for at every address of the subnet. */
  readonly sweep: boolean;
}

/** `lmserv announce` */
export interface AnnounceRequest extends Request {
  readonly announcement: Announcement;
  /** Whether to announce only while a server answers on the port. */
  readonly check: boolean;
  /** Where to serve the document of the server, or null not to. */
  readonly documentPort: number | null;
}
