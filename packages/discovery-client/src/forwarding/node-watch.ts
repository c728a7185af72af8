import type { Discovery, NodeInfo } from "@lmserv/discovery-core";

/** Calls back when a node with waiting work is lost. */
export interface NodeWatch {
  /** @returns the function that ends it. */
  onLost(id: string, listener: (why: string) => void): () => void;
  /** Resolves at the next change of the list, or when the watch has ended. */
  change(): Promise<void>;
  readonly hasEnded: boolean;
}

/** Watches a list for as long as the discovery is open. */
export function watchNodes(discovery: Pick<Discovery, "watch">, signal?: AbortSignal): NodeWatch {
  const listeners = new Map<string, Set<(why: string) => void>>();
  let wake = (): void => {};
  let next = new Promise<void>((resolve) => (wake = resolve));
  let hasEnded = false;
  const tell = (node: NodeInfo, why: string): void => {
    for (const listener of [...(listeners.get(node.id) ?? [])]) listener(why);
  };
  const follow = async (): Promise<void> => {
    for await (const change of discovery.watch({ ...(signal && { signal }) })) {
      const { kind, node } = change;
      // A node that says goodbye may still finish its work.
      if (kind === "down" && change.reason !== "goodbye") tell(node, `it is gone (${change.reason})`);
      else if (node.health?.state === "silent") tell(node, node.health.reason ?? "it does not answer");
      wake();
      next = new Promise<void>((resolve) => (wake = resolve));
    }
  };
  follow()
    .catch(() => {})
    .finally(() => {
      hasEnded = true;
      wake();
    });
  return {
    onLost(id, listener) {
      const own = listeners.get(id) ?? new Set();
      listeners.set(id, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(id) === own) listeners.delete(id);
      };
    },
    change: () => next,
    get hasEnded() {
      return hasEnded;
    },
  };
}
