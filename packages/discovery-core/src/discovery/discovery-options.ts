import type { DiscoveryError } from "../contract/errors.ts";
import type { HealthMonitor } from "../contract/health-monitor.ts";
import type { Log } from "../contract/log.ts";
import type { Transport } from "../contract/transport.ts";
import type { Clock } from "../time/clock.ts";
import type { NodeFilter } from "./node-filter.ts";
import type { TransportStatus } from "./status-report.ts";

export interface DiscoveryOptions {
  /** At least one; names must differ. */
  readonly transports: readonly Transport[];
  /** Time that a node stays listed without a confirmation, in ms, 1_000..86_400_000. @default 60_000 */
  readonly ttlMs?: number;
  /**
   * Checks the health of listed nodes, such as `httpHealth()`. @default none; `health` of each node is null
   */
  readonly health?: HealthMonitor;
  /** Bound on the nodes of each transport; beyond it the least trusted give way. @default 10_000 */
  readonly capacity?: number;
  /** True to wait for a missing network interface or server, false to throw an error. @default true */
  readonly waitForNetwork?: boolean;
  /** Receives each fault that did not stop discovery. @default none; `warnings` keeps the latest */
  readonly onWarning?: (warning: DiscoveryError) => void;
  /**
   * Receives a transport's status once it was lost for 2 s, and once it is back. @default none; `transports`
   * has it
   */
  readonly onTransport?: (status: TransportStatus) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Uniform in [0, 1); the source of identities. @default the system's entropy */
  readonly random?: () => number;
  /** Aborts the opening. */
  readonly signal?: AbortSignal;
}

/** Without a filter, every node counts. */
export interface DiscoverOptions extends NodeFilter {
  /** Duration of the search in ms, at least 0. @default 3_000 */
  readonly timeoutMs?: number;
  /** Count of listed nodes that ends the search early, at least 1. @default never */
  readonly atLeast?: number;
  /**
   * Ends the look also when nothing new is expected: a node is listed, and each transport that works has settled since
   * the look began. @default false
   */
  readonly untilSettled?: boolean;
  readonly signal?: AbortSignal;
}
