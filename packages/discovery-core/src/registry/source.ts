import type { DiscoveryErrorCode } from "../contract/errors.ts";
import type { Alive, Gone } from "../contract/transport.ts";
import { type Claim, type FreshClaim, keptProof } from "./trust.ts";

/** One transport's knowledge of one node, as the registry keeps it. */
export interface Source extends Claim {
  readonly key: string;
  /** Whose word it is. */
  readonly origin: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** When what it says last changed; a mere repetition does not make a source newer. */
  readonly changedMs: number;
  /** Null: it holds until it is gone, or its transport is lost. */
  readonly expiresMs: number | null;
  readonly ttlMs: number | null;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
  /** Whether it is a server of this machine. */
  readonly own: boolean;
}

/** What tells sources apart: `(via, key)` in one string. */
export function slotOf({ via, key }: Pick<Alive | Gone, "via" | "key">): string {
  return `${via}\0${key}`;
}

/** The transport that a slot is of. */
export function viaOf(slot: string): string {
  return slot.slice(0, slot.indexOf("\0"));
}

/** What a report makes of what its source said before. */
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
