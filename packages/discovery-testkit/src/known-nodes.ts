interface Known {
  readonly from: string;
  readonly untilMs: number;
}

/** Bound on one host's nodes: more are a flood, and must not crowd out others. */
const maxNodesPerHost = 16;

/** Nodes that a session tracks, bounded in all and for each host that they come from. */
export class KnownNodes {
  readonly #maxNodes: number;
  readonly #nodes = new Map<string, Known>();

  constructor(maxNodes: number) {
    this.#maxNodes = maxNodes;
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  /** Returns true if there is room for the node, and keeps it until `untilMs`. */
  admit(key: string, from: string, untilMs: number, nowMs: number): boolean {
    if (!this.has(key) && !this.#hasRoom(from, nowMs)) return false;
    this.#nodes.set(key, { from, untilMs });
    return true;
  }

  delete(key: string): void {
    this.#nodes.delete(key);
  }

  #hasRoom(from: string, nowMs: number): boolean {
    for (const [key, { untilMs }] of this.#nodes) if (untilMs <= nowMs) this.#nodes.delete(key);
    if (this.#nodes.size >= this.#maxNodes) return false;
    const present = [...this.#nodes.values()].filter((known) => known.from === from);
    return present.length < maxNodesPerHost;
  }
}
