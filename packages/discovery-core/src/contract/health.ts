/**
 * State of a server, as its last check found it.
 *
 * `silent`: it does not connect, or does not answer although its kind answers while it generates. `loading`: it
 * loads a model. `auth`: it wants a key that the check did not have. `busy`: it generates, or has no free slot.
 */
export type HealthState = "healthy" | "busy" | "loading" | "auth" | "silent";

/** A model as the server itself lists it. */
export interface Model {
  readonly name: string;
  /** Bytes on disk or in memory. */
  readonly size?: number;
  readonly digest?: string;
  /** Tokens. */
  readonly contextLength?: number;
}

/** Answer of a node to its last check. */
export interface NodeHealth {
  readonly state: HealthState;
  /** Models that it can serve; empty when unknown. */
  readonly models: readonly Model[];
  /** Names of the models in memory; empty when unknown. */
  readonly loaded: readonly string[];
  /** Version of the server; absent if unknown. */
  readonly version?: string;
  /** Time of the last answer in ms, or null when none came. */
  readonly latencyMs: number | null;
  /** Time of the check, ISO 8601 in UTC. */
  readonly checkedAt: string;
  /** Cause of any state but `healthy`, for people. */
  readonly reason: string | null;
}
