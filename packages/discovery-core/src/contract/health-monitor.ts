import type { Clock } from "../time/clock.ts";
import type { NodeHealth } from "./health.ts";
import type { Log } from "./log.ts";
import type { Auth } from "./node.ts";
import type { RegistryChange } from "./registry-change.ts";

/** Fields of the announcement that the server itself answered for; null or empty if it said nothing. */
export interface ServerDescription {
  readonly server: string | null;
  readonly path: string | null;
  readonly apis: readonly string[];
  readonly auth: Auth | null;
}

/** One check of one node. */
export interface HealthReport {
  /** Checked `host:port`; a report of another endpoint than the node's present one is dropped. */
  readonly endpoint: string;
  readonly health: NodeHealth;
  /** Description of the server, or null if it gave none. */
  readonly description: ServerDescription | null;
  /** Announced path that answered 404, or null. If it was announced unsigned, the description replaces it. */
  readonly missingPath: string | null;
}

/** Source of the nodes' health, such as `httpHealth` of discovery-fingerprint. */
export interface HealthMonitor {
  /**
   * Begins to check the listed nodes; nothing is sent before the first look at the registry.
   *
   * @returns The end of all checks; nothing is reported after it.
   */
  start(context: HealthContext): () => void;
}

/** Services of the discovery for a health monitor. */
export interface HealthContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Calls back with `up` for each listed node, then with every change; returns the function that ends it. */
  readonly follow: (onChange: (change: RegistryChange) => void) => () => void;
  /** Takes the outcome of a check; a node that is no longer listed is ignored. */
  readonly report: (id: string, report: HealthReport) => void;
  /** Makes the transports ask again for the node. */
  readonly reconfirm: (id: string) => void;
}
