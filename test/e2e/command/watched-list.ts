import type { ListedNode, Watch, WatchEvent } from "./command.ts";

/** List of `lmserv discover --watch`, as the sum of its events. */
export interface WatchedList {
  readonly nodes: () => readonly ListedNode[];
  /** Resolves once the list fits. */
  readonly until: (fits: (nodes: readonly ListedNode[]) => boolean) => Promise<void>;
}

/** Says whether a list holds nodes with these infos, in the order of the alphabet, and no other. */
export function lists(...infos: readonly string[]): (nodes: readonly ListedNode[]) => boolean {
  return (nodes) => infosOf(nodes).join() === infos.join();
}

export function infosOf(nodes: readonly ListedNode[]): string[] {
  return nodes.map(({ info }) => info).sort();
}

export function watchedList({ process, read: readEvent }: Watch): WatchedList {
  const nodes = new Map<string, ListedNode>();
  let read = 0;
  const catchUp = (end: number): readonly ListedNode[] => {
    for (; read < end; read += 1) take(nodes, readEvent(process.lines[read] ?? ""));
    return [...nodes.values()];
  };
  const now = (): readonly ListedNode[] => catchUp(process.lines.length);

  return {
    nodes: now,
    async until(fits) {
      if (!fits(now())) await process.line((_, index) => fits(catchUp(index + 1)), { from: read });
    },
  };
}

function take(nodes: Map<string, ListedNode>, event: WatchEvent | null): void {
  const node = event?.node;
  if (!node) return;
  if (event.type === "down") nodes.delete(node.id);
  else nodes.set(node.id, node);
}
