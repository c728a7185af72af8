import type { DiscoveryError, SeenAddress } from "@lmserv/discovery-core";
import type {
  Alive,
  Observation,
  ObservationSink,
  ResolvedAnnouncement,
} from "@lmserv/discovery-core/transport";
import { seenNode } from "@lmserv/discovery-signing";

/** A member and its nodes, as they are seen here. */
export interface SeenMember {
  readonly id: string;
  readonly nodes: readonly ResolvedAnnouncement[];
  readonly addresses: readonly SeenAddress[];
  /** How long that holds. */
  readonly ttlMs: number;
  /** Whether others pass on what it says, for want of a link. */
  readonly relayed: boolean;
  /** When anything came over a link to it last, or null when there is none. */
  readonly heardMs: number | null;
}

/** Tells every browse of the nodes that members have. */
export class Listing {
  readonly #via: string;
  readonly #browses = new Set<ObservationSink>();
  /** Keys of the nodes of each member that was told of. */
  readonly #told = new Map<string, ReadonlySet<string>>();

  constructor(via: string) {
    this.#via = via;
  }

  /** Tells a browse of everybody there is, and from then on of what changes; the result ends that. */
  add(browse: ObservationSink, present: readonly SeenMember[]): () => void {
    this.#browses.add(browse);
    for (const member of present) for (const report of this.#reportsOf(member)) browse.push(report);
    return () => void this.#browses.delete(browse);
  }

  /** A member says that it is there; a node that it does not name any more is gone. */
  show(member: SeenMember): void {
    const reports = this.#reportsOf(member);
    const keys = new Set(reports.map(({ key }) => key));
    const dropped = [...(this.#told.get(member.id) ?? [])].filter((key) => !keys.has(key));
    if (keys.size > 0) this.#told.set(member.id, keys);
    else this.#told.delete(member.id);
    for (const key of dropped) this.#push({ kind: "gone", via: this.#via, key, reason: "goodbye" });
    for (const report of reports) this.#push(report);
  }

  /** A member is gone, and its nodes with it. */
  hide(id: string, reason: "goodbye" | "unreachable"): void {
    const keys = this.#told.get(id) ?? [];
    this.#told.delete(id);
    for (const key of keys) this.#push({ kind: "gone", via: this.#via, key, reason });
  }

  /** Ends every browse with an error; returns how many there were. */
  fail(error: DiscoveryError): number {
    const browses = [...this.#browses];
    for (const browse of browses) browse.fail(error);
    return browses.length;
  }

  #reportsOf({ id, nodes, addresses, ...seen }: SeenMember): Alive[] {
    if (addresses.length === 0) return [];
    return nodes.map((node) => ({
      kind: "alive",
      via: this.#via,
      key: `${id}/${node.id}`,
      node: seenNode(node, id, addresses),
      origin: id,
      ...seen,
    }));
  }

  #push(observation: Observation): void {
    for (const browse of [...this.#browses]) browse.push(observation);
  }
}
