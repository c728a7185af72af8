import { expect } from "vitest";
import type { NodeInfo, RegistryChange } from "../../src/index.ts";

/** State of a consumer that only hears of changes; each must be valid when it comes. */
export class Replica {
  readonly nodes: Map<string, NodeInfo> = new Map();

  follow(changes: readonly RegistryChange[]): void {
    for (const { kind, node } of changes) {
      const before = this.nodes.get(node.id);
      expect(before !== undefined, `${kind} ${node.id}`).toBe(kind !== "up");
      if (kind === "down") this.nodes.delete(node.id);
      else this.nodes.set(node.id, node);
    }
  }

  /** True if the change is no news. */
  knows({ kind, node }: RegistryChange): boolean {
    const before = this.nodes.get(node.id);
    return kind !== "down" && JSON.stringify(before && faceOf(before)) === JSON.stringify(faceOf(node));
  }

  /** Nodes without their times, in the order of ids. */
  faces(): unknown[] {
    return facesOf([...this.nodes.values()]);
  }
}

function faceOf(node: NodeInfo): unknown {
  const sources = node.sources.map(({ transport, key, trust, stale }) => ({ transport, key, trust, stale }));
  return { ...node, sources };
}

export function facesOf(nodes: readonly NodeInfo[]): unknown[] {
  return [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1)).map(faceOf);
}
