import type { ListedNode, Watch } from "../command/command.ts";

/** Says whether all that is known of a node is stale for this reason; null for fresh. */
export function isStaleBy(code: string | null): (node: ListedNode) => boolean {
  return ({ sources }) => sources.every(({ stale }) => stale === code);
}

/** Losses and returns of transports, in order. */
export function lossesOf({ events }: Watch): readonly string[] {
  return events().flatMap(({ type, transport, code }) => {
    if (type === "lost") return [`lost ${transport} ${code}`];
    return type === "recovered" ? [`recovered ${transport}`] : [];
  });
}
