import type { SeenNode } from "../contract/node.ts";
import { Room } from "./room.ts";
import { type Source, slotOf } from "./source.ts";
import {
  admissible,
  answersSince,
  type Claim,
  compareTrust,
  type FreshClaim,
  tiesOf,
  trustOfIdentity,
} from "./trust.ts";

/** A host has a few interfaces on each of a few transports; more for one node by one transport is a flood. */
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
  /** Whether it answered for itself after another identity had taken its place: it is not taken again. */
  isProvenAlive = false;
  /** Identities that held its endpoints before, the latest last, and since when they do not. */
  readonly #predecessors = new Map<string, number>();

  constructor(id: string) {
    this.id = id;
  }

  /** The sources of one transport as a room, or null while there is room for more of them. */
  fullRoom(via: string): Room | null {
    if (this.sources.size < maxSources) return null;
    const own = [...this.sources.values()].filter((source) => source.via === via);
    if (own.length < maxSources) return null;
    const room = new Room(maxSources);
    for (const source of own) room.take(slotOf(source), { trust: source.node.trust, origin: source.origin });
    return room;
  }

  /** It took the place of another at a moment. */
  follow(predecessor: Entry, nowMs: number): void {
    for (const [id, sinceMs] of [...predecessor.#predecessors, [predecessor.id, nowMs] as const]) {
      this.#predecessors.delete(id);
      if (id !== this.id) this.#predecessors.set(id, sinceMs);
    }
    for (const id of this.#predecessors.keys()) {
      if (this.#predecessors.size > maxPredecessors) this.#predecessors.delete(id);
    }
  }

  /** Whether a predecessor was heard where it is since this node took its place. */
  isAnsweredBy(report: FreshClaim): boolean {
    const sinceMs = this.#sinceOf(report.node);
    return sinceMs !== undefined && answersSince(report, sinceMs);
  }

  /** A predecessor is back. */
  readmit(id: string): void {
    this.#predecessors.delete(id);
  }

  /** Whether a slot of a transport is free once it is superseded. */
  frees(via: string): boolean {
    return [...this.sources.values()].some((source) => source.via === via && source.node.id !== null);
  }

  /** Those ties of a claim about it that it can have. */
  tiesBy(claim: Claim): readonly string[] {
    return admissible(tiesOf(claim), [...this.sources.values(), claim]);
  }

  /** What its sources tie to it now. */
  presentTies(): Set<string> {
    const claims = [...this.sources.values()];
    return new Set(admissible(claims.flatMap(tiesOf), claims));
  }

  /** Whether any source names an identity. */
  get isNamed(): boolean {
    return trustOfIdentity(this.sources.values()) !== null;
  }

  /**
   * Whether a report takes the ties of this node over.
   *
   * Another identity does, unless it is trusted less or this one is proven alive; it always takes over what has none.
   * A report without one takes over what has none either, where both are known for one announcer's.
   */
  yieldsTo({ node: { id, announcer, trust } }: Claim): boolean {
    const own = trustOfIdentity(this.sources.values());
    if (id === null) return announcer !== undefined && own === null;
    if (id === this.id) return false;
    const order = own === null ? -1 : compareTrust(trust, own);
    return order < 0 || (order === 0 && !this.isProvenAlive && !this.#predecessors.has(id));
  }

  /**
   * Whether a report is about a predecessor and late.
   *
   * It is not when the predecessor is trusted more or was heard since, or when this node has no name any more.
   */
  hasOutlived(report: FreshClaim): boolean {
    const own = trustOfIdentity(this.sources.values());
    if (own === null || this.#sinceOf(report.node) === undefined) return false;
    return compareTrust(report.node.trust, own) >= 0 && !this.isAnsweredBy(report);
  }

  /** Whether a predecessor that is back has its endpoints again: it is trusted as much. */
  givesBackTo({ node }: Claim): boolean {
    const own = trustOfIdentity(this.sources.values());
    return own === null || compareTrust(node.trust, own) <= 0;
  }

  /** Since when this node has the place of the one that a report is about. */
  #sinceOf({ id }: SeenNode): number | undefined {
    return id === null ? undefined : this.#predecessors.get(id);
  }
}
