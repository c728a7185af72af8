import { matches, type NodeInfo } from "@lmserv/discovery-core";
import type { DiscoverDocument, NodeDocument } from "@lmserv/discovery-gateway/document";
import type { Io } from "../io/io.ts";
import type { SearchRequest } from "../options/request.ts";

/** List of another process of this machine, as far as it fits a search. */
export interface Listed {
  readonly document: DiscoverDocument;
  readonly nodes: readonly NodeInfo[];
}

/** List of a running `lmserv up` or `lmserv gateway`, or null if it does not answer the search. */
export async function readListed(request: SearchRequest, io: Io): Promise<Listed | null> {
  const document = await io.readList();
  if (!document) return null;
  const both = document.nodes
    .map((node) => ({ document: node, info: infoOf(node) }))
    .filter(({ info }) => matches(info, request.filter));
  if (both.length < (request.atLeast ?? 1)) return null;
  return {
    document: { ...document, durationMs: 0, nodes: both.map((node) => node.document) },
    nodes: both.map(({ info }) => info),
  };
}

/** Monotonic times are another process's own. */
function infoOf({ sources, ...node }: NodeDocument): NodeInfo {
  return {
    ...node,
    sources: sources.map(({ firstSeen, lastSeen, ...source }) => ({
      ...source,
      firstSeenAt: firstSeen,
      lastSeenAt: lastSeen,
      firstSeenMs: 0,
      lastSeenMs: 0,
      expiresMs: null,
    })),
  };
}
