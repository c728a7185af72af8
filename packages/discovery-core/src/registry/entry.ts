import type { SeenNode } from "../contract/node.ts";
import { FairSet } from "./fair-set.ts";
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

/** Bound on one transport's sources of a node: a host has a few interfaces on each of a few transports. */
export const maxSources = 32;
/** Bound on predecessors: a server that changes its identity more often within one TTL is a flood. */
const maxPredecessors = 8;

/** Entry of the registry for one node. */
export class Entry {
  readonly id: string;
  /** Sources by slot. */
  readonly sources: Map<string, Source> = new Map();
  /** Ties that it holds: a report without an identity and with one of these is about this node. */
  readonly ties: Set<string> = new Set();
  /**
   * True if it answered for itself after another identity had taken its place; it is not superseded again.
   */
  isProvenAlive = false;
  /** Identities that held its endpoints before, the latest last, and the time since when they do not. */
  readonly #predecessors = new Map<string, number>();

  constructor(id: string) {
    this.id = id;
  }

  /** Slots of one transport's sources, or null while there is room for more of them. */
  fullSlots(via: string): FairSet | null {
    if (this.sources.size < maxSources) return null;
    const own = [...this.sources.values()].filter((source) => source.via === via);
    if (own.length < maxSources) return null;
    const slots = new FairSet(maxSources);
    for (const source of own) slots.add(slotOf(source), { trust: source.node.trust, origin: source.origin });
    return slots;
  }

  /** Records that it took the place of another at a moment. */
  follow(predecessor: Entry, nowMs: number): void {
    for (const [id, sinceMs] of [...predecessor.#predecessors, [predecessor.id, nowMs] as const]) {
      this.#predecessors.delete(id);
      if (id !== this.id) this.#predecessors.set(id, sinceMs);
    }
    for (const id of this.#predecessors.keys()) {
      if (this.#predecessors.size > maxPredecessors) this.#predecessors.delete(id);
    }
  }

  /** True if a predecessor was heard at its place since this node took it. */
  isAnsweredBy(report: FreshClaim): boolean {
    const sinceMs = this.#sinceOf(report.node);
    return sinceMs !== undefined && answersSince(report, sinceMs);
  }

  /** Takes a returning predecessor off the list. */
  readmit(id: string): void {
    this.#predecessors.delete(id);
  }

  /** True if superseding it frees a slot of a transport. */
  frees(via: string): boolean {
    return [...this.sources.values()].some((source) => source.via === via && source.node.id !== null);
  }

  /** Ties of a claim about it, as far as it can have them. */
  tiesBy(claim: Claim): readonly string[] {
    return admissible(tiesOf(claim), [...this.sources.values(), claim]);
  }

  presentTies(): Set<string> {
    const claims = [...this.sources.values()];
    return new Set(admissible(claims.flatMap(tiesOf), claims));
  }

  get isNamed(): boolean {
    return trustOfIdentity(this.sources.values()) !== null;
  }

  /**
   * True if a report takes over the ties of this node.
   *
   * A report with another identity does, unless it is trusted less or this node is proven alive. It always
   * takes over from a node without one. A report without an identity takes over from a node without one, if
   * both are known for one announcer's.
   */
  yieldsTo({ node: { id, announcer, trust } }: Claim): boolean {
    const own = trustOfIdentity(this.sources.values());
    if (id === null) return announcer !== undefined && own === null;
    if (id === this.id) return false;
    const order = own === null ? -1 : compareTrust(trust, own);
    return order < 0 || (order === 0 && !this.isProvenAlive && !this.#predecessors.has(id));
  }

  /**
   * True if a report is about a predecessor and late.
   *
   * It is not late if the predecessor is trusted more or was heard since. Nor is it if this node has no name
   * any more.
   */
  hasOutlived(report: FreshClaim): boolean {
    const own = trustOfIdentity(this.sources.values());
    if (own === null || this.#sinceOf(report.node) === undefined) return false;
    return compareTrust(report.node.trust, own) >= 0 && !this.isAnsweredBy(report);
  }

  /** True if a returning predecessor is trusted as much, and so has its endpoints again. */
  givesBackTo({ node }: Claim): boolean {
    const own = trustOfIdentity(this.sources.values());
    return own === null || compareTrust(node.trust, own) <= 0;
  }

  /** Time since when this node has the place of a report's node. */
  #sinceOf({ id }: SeenNode): number | undefined {
    return id === null ? undefined : this.#predecessors.get(id);
  }
}
