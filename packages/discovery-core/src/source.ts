import type { DiscoveryErrorCode } from "./errors.ts";
import type { SeenNode } from "./node.ts";
import type { Alive, Gone } from "./transport.ts";
import { type Claim, keptProof, provenEndpoints } from "./trust.ts";
import { visibleNode } from "./visible-node.ts";

/** One transport's knowledge of one node, as the registry keeps it. */
export interface Source extends Claim {
  readonly key: string;
  readonly node: SeenNode;
  /** Whose word it is. */
  readonly origin: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** When what it says last changed; a mere repetition does not make a source newer. */
  readonly changedMs: number;
  readonly expiresMs: number;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
}

/** What tells sources apart: `(via, key)` in one string. */
export function slotOf({ via, key }: Pick<Alive | Gone, "via" | "key">): string {
  return `${via}\0${key}`;
}

/** What a report makes of what its source said before. */
export function sourceOf(report: Alive, before: Source | undefined, nowMs: number): Source {
  const { via, key, origin, ttlMs, stale = null, relayed = false } = report;
  const node = visibleNode(report.node);
  const same = before !== undefined && JSON.stringify(before.node) === JSON.stringify(node);
  return {
    via,
    key,
    node: same ? before.node : node,
    origin,
    proven: keptProof(provenEndpoints(report), before, node),
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    lastSeenMs: nowMs,
    changedMs: same ? before.changedMs : nowMs,
    expiresMs: nowMs + ttlMs,
    stale,
    relayed,
  };
}
