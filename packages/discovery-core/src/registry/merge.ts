import { compareReach, formatEndpoint, isIPv6, isLinkLocal } from "../addresses/address.ts";
import type { NodeInfo, NodeSource, SeenAddress, SeenNode } from "../contract/node.ts";
import { visibleText } from "../text/visible-text.ts";
import type { Source } from "./source.ts";
import { compareClaims, describing } from "./trust.ts";

/**
 * Node as users see it, merged from its sources.
 *
 * Signed goes before announced before identified, a heard node before hearsay, then the newest. The next
 * source of the same port fills a field that the best one leaves open. A signed node comes from signed
 * sources only, addresses included.
 */
export function mergeSources(
  id: string,
  sources: readonly Source[],
  self: boolean,
  isoTime: (ms: number) => string,
): NodeInfo {
  const ranked = [...sources].sort(compareSources);
  const [best] = ranked;
  if (!best) throw new TypeError(`node ${id} has no source`);
  const { port, scheme, attributes } = best.node;
  const agreeing = describing(ranked)
    .map((source) => source.node)
    .filter((node) => node.port === port);
  const addresses = rankAddresses(agreeing);
  const host = addresses[0] ?? "";
  const path = firstKnown(agreeing, (node) => node.path);
  const apis = firstKnown(agreeing, (node) => filled(node.apis)) ?? [];
  const listing = agreeing.find(({ models, modelsCut }) => models.length > 0 || modelsCut);
  return {
    id,
    host,
    port,
    info: firstKnown(agreeing, (node) => node.info || null) ?? "",
    hostname: firstKnown(agreeing, (node) => node.hostname),
    addresses,
    path,
    scheme,
    ...urlsOf({ host, port, scheme, path, apis }),
    server: firstKnown(agreeing, (node) => node.server),
    apis,
    models: listing?.models ?? [],
    modelsCut: listing?.modelsCut ?? false,
    auth: firstKnown(agreeing, (node) => node.auth),
    attributes,
    health: null,
    self: self || sources.some(({ own }) => own),
    sources: ranked.map((source) => describeSource(source, isoTime)),
  };
}

function compareSources(a: Source, b: Source): number {
  return (
    compareClaims(a, b) || b.changedMs - a.changedMs || compareText(a.via, b.via) || compareText(a.key, b.key)
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

/** Each address once, with its best reach in any source; the likeliest to answer first. */
function rankAddresses(ranked: readonly SeenNode[]): string[] {
  const best = new Map<string, SeenAddress>();
  for (const seen of ranked.flatMap(({ addresses }) => addresses)) {
    const known = best.get(seen.address);
    if (!known || compareReach(seen, known) < 0) best.set(seen.address, seen);
  }
  return [...best.values()].sort(compareReach).map(({ address }) => address);
}

/** Path of most servers for clients of OpenAI's API. */
const openaiPath = "/v1";
const openaiChat = "/chat/completions";

/** URLs of a node; none can contain a scoped address (RFC 9844). */
export function urlsOf({
  host,
  port,
  scheme,
  path,
  apis,
}: Pick<NodeInfo, "host" | "port" | "scheme" | "path" | "apis">): Pick<
  NodeInfo,
  "url" | "baseUrl" | "openaiUrl"
> {
  if (host === "" || (isIPv6(host) && isLinkLocal(host)))
    return { url: null, baseUrl: null, openaiUrl: null };
  const baseUrl = `${scheme}://${formatEndpoint(host, port)}`;
  const openai = path?.endsWith(openaiChat) ? path.slice(0, -openaiChat.length) : openaiPath;
  return {
    url: `${baseUrl}${path ?? ""}`,
    baseUrl,
    openaiUrl: apis.includes("openai") ? `${baseUrl}${openai}` : null,
  };
}

function describeSource(source: Source, isoTime: (ms: number) => string): NodeSource {
  const { via, key, node, firstSeenMs, lastSeenMs, expiresMs, stale, relayed } = source;
  return {
    transport: via,
    key: visibleText(key),
    trust: node.trust,
    firstSeenMs,
    lastSeenMs,
    expiresMs,
    firstSeenAt: isoTime(firstSeenMs),
    lastSeenAt: isoTime(lastSeenMs),
    expiresAt: expiresMs === null ? null : isoTime(expiresMs),
    stale,
    relayed,
  };
}
