import { expect } from "vitest";
import type { NodeInfo, RegistryChange } from "../../src/index.ts";

/** What somebody believes who only hears of changes; each must make sense where it comes. */
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

  /** Whether the change says nothing new. */
  knows({ kind, node }: RegistryChange): boolean {
    const before = this.nodes.get(node.id);
    return kind !== "down" && JSON.stringify(before && faceOf(before)) === JSON.stringify(faceOf(node));
  }

  /** Without the times, which are no news; in the order of ids. */
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
