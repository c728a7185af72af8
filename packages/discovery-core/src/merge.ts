import { compareReach, formatEndpoint, isIPv6, isLinkLocal } from "./address.ts";
import type { NodeInfo, NodeSource, SeenAddress, SeenNode, Trust } from "./node.ts";
import type { Source } from "./source.ts";

const trustOrder: readonly Trust[] = ["signed", "announced", "identified"];

/**
 * What users see of a node, from what its sources say: signed over announced over identified, then the
 * newest. A field that the best source leaves open is filled by the next one that means the same port.
 */
export function mergeSources(id: string, sources: readonly Source[], self: boolean): NodeInfo {
  const ranked = [...sources].sort(compareSources);
  const [best] = ranked;
  if (!best) throw new TypeError(`node ${id} has no source`);
  const { port, attributes } = best.node;
  const agreeing = ranked.map((source) => source.node).filter((node) => node.port === port);
  const addresses = rankAddresses(agreeing);
  const host = addresses[0] ?? "";
  const path = firstKnown(agreeing, (node) => node.path);
  return {
    id,
    host,
    port,
    info: firstKnown(agreeing, (node) => node.info || null) ?? "",
    hostname: firstKnown(agreeing, (node) => node.hostname),
    addresses,
    path,
    url: urlOf(host, port, path),
    server: firstKnown(agreeing, (node) => node.server),
    apis: firstKnown(agreeing, (node) => filled(node.apis)) ?? [],
    models: firstKnown(agreeing, (node) => filled(node.models)) ?? [],
    auth: firstKnown(agreeing, (node) => node.auth),
    attributes,
    self,
    sources: ranked.map(describeSource),
  };
}

function compareSources(a: Source, b: Source): number {
  return (
    trustOrder.indexOf(a.node.trust) - trustOrder.indexOf(b.node.trust) ||
    b.changedMs - a.changedMs ||
    compareText(a.via, b.via) ||
    compareText(a.key, b.key)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function firstKnown<T>(ranked: readonly SeenNode[], read: (node: SeenNode) => T | null): T | null {
  for (const node of ranked) {
    const value = read(node);
    if (value !== null) return value;
  }
  return null;
}

function filled(list: readonly string[]): readonly string[] | null {
  return list.length > 0 ? list : null;
}

/** Signed addresses come first, so that a stranger who repeats an identity cannot draw its traffic. */
function rankAddresses(ranked: readonly SeenNode[]): string[] {
  const signed = new Map<string, SeenAddress>();
  const others = new Map<string, SeenAddress>();
  for (const { trust, addresses } of ranked) {
    for (const seen of addresses) keepBest(trust === "signed" ? signed : others, seen);
  }
  for (const [address, seen] of others) {
    if (signed.has(address)) keepBest(signed, seen);
  }
  const ordered = [...sorted(signed), ...sorted(others)].map((seen) => seen.address);
  return [...new Set(ordered)];
}

function keepBest(best: Map<string, SeenAddress>, seen: SeenAddress): void {
  const known = best.get(seen.address);
  if (!known || compareReach(seen, known) < 0) best.set(seen.address, seen);
}

function sorted(addresses: Map<string, SeenAddress>): SeenAddress[] {
  return [...addresses.values()].sort(compareReach);
}

/** A scoped address cannot stand in a URL (RFC 9844). */
function urlOf(host: string, port: number, path: string | null): string | null {
  if (host === "" || (isIPv6(host) && isLinkLocal(host))) return null;
  return `http://${formatEndpoint(host, port)}${path ?? ""}`;
}

function describeSource(source: Source): NodeSource {
  const { via, key, node, firstSeenMs, lastSeenMs, expiresMs, stale, relayed } = source;
  return { transport: via, key, trust: node.trust, firstSeenMs, lastSeenMs, expiresMs, stale, relayed };
}
