import { matches, type NodeFilter, type RegistryChange } from "@lmserv/discovery-core";

/**
 * Changes of the nodes that fit a filter.
 *
 * A node comes up when it first fits. It is followed to its end, so that a watch shows that it fits no more.
 */
export class FilteredChanges {
  readonly #filter: NodeFilter;
  readonly #shown = new Set<string>();

  constructor(filter: NodeFilter) {
    this.#filter = filter;
  }

  /** Change as the watch shows it, or null if the node never fitted. */
  take(change: RegistryChange): RegistryChange | null {
    const { kind, node } = change;
    if (kind === "down") return this.#shown.delete(node.id) ? change : null;
    if (this.#shown.has(node.id)) return { kind: "updated", node };
    if (!matches(node, this.#filter)) return null;
    this.#shown.add(node.id);
    return { kind: "up", node };
  }
}
