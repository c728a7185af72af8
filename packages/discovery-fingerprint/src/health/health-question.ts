import type { HealthState, Model, Scheme } from "@lmserv/discovery-core";
import type { ServerDescription } from "@lmserv/discovery-core/transport";
import type { Silence } from "../http/silence.ts";

/** Question about the state of a server. */
export interface HealthQuestion {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  readonly scheme: Scheme;
  /** Kind of server, or null if unknown. */
  readonly server: string | null;
  /** Announced path of the chat endpoint, or null if unknown. */
  readonly path: string | null;
  /** True to ask for models and description as well. */
  readonly lists: boolean;
  /** Bearer token for this endpoint only, or null for none. @default null */
  readonly key?: string | null;
  /** Trusted authorities besides Node's own, PEM, or null for none. @default null */
  readonly ca?: string | null;
}

/** Answer of a server about itself. */
export interface HealthAnswer {
  readonly kind: "answer";
  readonly state: Exclude<HealthState, "silent">;
  /** Cause of any state but `healthy`, for people. */
  readonly reason: string | null;
  readonly latencyMs: number;
  /** Null if the question did not ask for lists, or the server fell silent before they were complete. */
  readonly lists: ServerLists | null;
}

export interface ServerLists {
  readonly models: readonly Model[];
  /** Names of the models in memory. */
  readonly loaded: readonly string[];
  readonly description: ServerDescription | null;
  /** Version of the server, or null if unknown. */
  readonly version: string | null;
  /** True if the announced path answered 404. */
  readonly isPathMissing: boolean;
}

/** No answer, or only errors of the server's own (5xx). */
export interface HealthSilence {
  readonly kind: "silence";
  readonly why: Silence | "failing";
}

export type HealthOutcome = HealthAnswer | HealthSilence;

/** Asks a server; rejects only with the reason of an aborted `signal`. */
export type AskHealth = (question: HealthQuestion, signal: AbortSignal) => Promise<HealthOutcome>;
