import type { SeenNode } from "./node.ts";
import { type Source, tiesOf } from "./source.ts";

/** A host has a few interfaces and a deployment a few transports; more for one node is a flood. */
export const maxSources = 32;
/** A server that changes its identity more often within one TTL is a flood. */
const maxPredecessors = 8;

/** What the registry knows of one node. */
export class Entry {
  readonly id: string;
  /** By slot. */
  readonly sources: Map<string, Source> = new Map();
  /** Those it holds: whatever has no identity and one of these is this node. */
  readonly ties: Set<string> = new Set();
  /** Identities that held its endpoints before, the latest first. */
  #predecessors: readonly string[] = [];

  constructor(id: string) {
    this.id = id;
  }

  hasRoomFor(slot: string): boolean {
    return this.sources.has(slot) || this.sources.size < maxSources;
  }

  follow(predecessor: Entry): void {
    const line = new Set([predecessor.id, ...predecessor.#predecessors, ...this.#predecessors]);
    line.delete(this.id);
    this.#predecessors = [...line].slice(0, maxPredecessors);
  }

  /** What its sources tie to it now. */
  presentTies(): Set<string> {
    return new Set([...this.sources.values()].flatMap(tiesOf));
  }

  /** Whether any source names an identity. */
  get isNamed(): boolean {
    return this.#some((node) => node.id !== null);
  }

  /**
   * Whether a report takes the ties of this node over: another identity does, though signed ones yield to signed ones
   * only; one without takes what has none either, where both are known for one announcer's.
   */
  yieldsTo({ id, announcer, trust }: SeenNode): boolean {
    if (id === null) return announcer !== undefined && !this.isNamed;
    return id !== this.id && (trust === "signed" || !this.#isSigned());
  }

  /**
   * Whether a report is about a predecessor and late.
   *
   * It is not when this node was last heard without a name, or only the predecessor can sign.
   */
  hasOutlived({ id, trust }: SeenNode): boolean {
    if (id === null || !this.#predecessors.includes(id)) return false;
    return this.isNamed && (trust !== "signed" || this.#isSigned());
  }

  #isSigned(): boolean {
    return this.#some((node) => node.trust === "signed");
  }

  #some(test: (node: SeenNode) => boolean): boolean {
    return [...this.sources.values()].some(({ node }) => test(node));
  }
}
