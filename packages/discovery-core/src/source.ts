import { compareReach, formatEndpoint } from "./address.ts";
import type { DiscoveryErrorCode } from "./errors.ts";
import type { SeenNode } from "./node.ts";
import type { Alive, Gone } from "./transport.ts";

/** One transport's knowledge of one node, as the registry keeps it. */
export interface Source {
  readonly via: string;
  readonly key: string;
  readonly node: SeenNode;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** When what it says last changed; a mere repetition does not make a source newer. */
  readonly changedMs: number;
  readonly expiresMs: number;
  readonly stale: DiscoveryErrorCode | null;
  readonly relayed: boolean;
}

/** What tells sources apart: `(via, key)` in one string. */
export function slotOf({ via, key }: Alive | Gone): string {
  return `${via}\0${key}`;
}

/** What a report makes of what its source said before. */
export function sourceOf(report: Alive, before: Source | undefined, nowMs: number): Source {
  const { via, key, node, ttlMs, stale = null, relayed = false } = report;
  const same = before !== undefined && JSON.stringify(before.node) === JSON.stringify(node);
  return {
    via,
    key,
    node: same ? before.node : node,
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    lastSeenMs: nowMs,
    changedMs: same ? before.changedMs : nowMs,
    expiresMs: nowMs + ttlMs,
    stale,
    relayed,
  };
}

/** Every endpoint at which a node is said to be, the most likely first. */
export function listedEndpoints({ addresses, port }: SeenNode): string[] {
  return [...addresses].sort(compareReach).map(({ address }) => formatEndpoint(address, port));
}

/**
 * What makes one node of a report and others: the endpoints that it proves, and who announces it where it names no
 * identity. The word of an announcer counts on its own medium only.
 */
export function tiesOf({ via, node }: Pick<Source, "via" | "node">): string[] {
  const endpoints = provenEndpoints(node);
  if (node.id !== null || node.announcer === undefined) return endpoints;
  return [`${via}\0${node.announcer}`, ...endpoints];
}

/**
 * The endpoints at which a packet from there, or a signature, proves a node to be.
 *
 * What others merely list proves nothing: it may be their loopback or their bridge.
 */
export function provenEndpoints(node: SeenNode): string[] {
  const addresses = node.addresses.filter(
    ({ reach }) => reach === "source" || (reach === "on-link" && node.trust === "signed"),
  );
  return listedEndpoints({ ...node, addresses });
}
