import type { Alive, Announced, Observation, ObservationSink, SeenAddress } from "@lmserv/discovery-core";
import { seenNode } from "@lmserv/discovery-identity";

/** What a member says, as it is seen here. */
export interface Sighting {
  /** Of the member, which may have several nodes. */
  readonly id: string;
  readonly nodes: readonly Announced[];
  readonly addresses: readonly SeenAddress[];
  /** How long it holds. */
  readonly ttlMs: number;
  /** Whether others pass on what it says, for want of a link. */
  readonly relayed: boolean;
  /** When anything came over a link to it last, or null when there is none. */
  readonly heardMs: number | null;
}

/** Tells every browse of the nodes that members have. */
export class Sightings {
  readonly #via: string;
  readonly #sinks = new Set<ObservationSink>();
  /** The keys of the nodes of each member that was told of. */
  readonly #shown = new Map<string, ReadonlySet<string>>();

  constructor(via: string) {
    this.#via = via;
  }

  add(sink: ObservationSink): void {
    this.#sinks.add(sink);
  }

  delete(sink: ObservationSink): void {
    this.#sinks.delete(sink);
  }

  /** A member says that it is there; a node that it does not name any more is gone. */
  show(sighting: Sighting): void {
    const reports = this.reportsOf(sighting);
    const keys = new Set(reports.map(({ key }) => key));
    const dropped = [...(this.#shown.get(sighting.id) ?? [])].filter((key) => !keys.has(key));
    if (keys.size > 0) this.#shown.set(sighting.id, keys);
    else this.#shown.delete(sighting.id);
    for (const key of dropped) this.#push({ kind: "gone", via: this.#via, key, reason: "goodbye" });
    for (const report of reports) this.#push(report);
  }

  /** A member is gone, and its nodes with it. */
  hide(id: string, reason: "goodbye" | "unreachable"): void {
    const keys = this.#shown.get(id) ?? [];
    this.#shown.delete(id);
    for (const key of keys) this.#push({ kind: "gone", via: this.#via, key, reason });
  }

  reportsOf({ id, nodes, addresses, ttlMs, relayed, heardMs }: Sighting): Alive[] {
    if (addresses.length === 0) return [];
    return nodes.map((node) => ({
      kind: "alive",
      via: this.#via,
      key: `${id}/${node.id}`,
      node: seenNode(node, id, addresses),
      origin: id,
      heardMs,
      ttlMs,
      relayed,
    }));
  }

  #push(observation: Observation): void {
    for (const sink of [...this.#sinks]) sink.push(observation);
  }
}
