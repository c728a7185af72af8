import type { DiscoveryErrorCode } from "../contract/errors.ts";
import type { Alive, Gone } from "../contract/transport.ts";
import { type Claim, type FreshClaim, keptProof } from "./trust.ts";

/** Knowledge of one transport about one node, as the registry keeps it. */
export interface Source extends Claim {
  readonly key: string;
  /** Origin of the report. */
  readonly origin: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Time of its latest change; a mere repetition does not make a source newer. */
  readonly changedMs: number;
  /** Null for a source without a deadline, which ends with a goodbye or its transport. */
  readonly expiresMs: number | null;
  readonly ttlMs: number | null;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
  /** True for a server of this machine. */
  readonly own: boolean;
}

/** Key of a source: `(via, key)` in one string. */
export function slotOf({ via, key }: Pick<Alive | Gone, "via" | "key">): string {
  return `${via}\0${key}`;
}

/** Transport of a slot. */
export function viaOf(slot: string): string {
  return slot.slice(0, slot.indexOf("\0"));
}

/** Source after a report, with the history of the source before. */
export function sourceOf(fresh: FreshClaim, before: Source | undefined, nowMs: number): Source {
  const { via, key, node, listed, origin, ttlMs = null, relayed = false, own = false } = fresh;
  return {
    via,
    key,
    node,
    listed,
    origin,
    proven: keptProof(fresh, before),
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    lastSeenMs: nowMs,
    changedMs: before?.node === node ? before.changedMs : nowMs,
    expiresMs: ttlMs === null ? null : nowMs + ttlMs,
    ttlMs,
    stale: null,
    relayed,
    own,
  };
}
