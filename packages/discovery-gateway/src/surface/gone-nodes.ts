import type { NodeInfo } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";

/** Long enough for an alert that waits, in ms. */
const keptMs = 3_600_000;
/**
 * Bound on gone nodes, above a large network's, since announcements can be forged; the one gone longest ago
 * gives way.
 */
const maxNodes = 1_000;

/** A node that was listed within the last hour. */
export type GoneNode = Pick<NodeInfo, "id" | "server">;

/** Nodes that went, for an hour. */
export class GoneNodes {
  readonly #clock: Pick<Clock, "now">;
  readonly #nodes = new Map<string, { readonly node: GoneNode; readonly goneMs: number }>();
  readonly #onForgotten: (id: string) => void;

  /** @param onForgotten - Takes the id of each node whose hour is over. */
  constructor(clock: Pick<Clock, "now">, onForgotten: (id: string) => void) {
    this.#clock = clock;
    this.#onForgotten = onForgotten;
  }

  /** Nodes whose hour is not over, the one gone longest ago first. */
  list(): readonly GoneNode[] {
    this.#forget();
    return [...this.#nodes.values()].map(({ node }) => node);
  }

  add({ id, server }: NodeInfo): void {
    this.#nodes.delete(id);
    this.#nodes.set(id, { node: { id, server }, goneMs: this.#clock.now() });
    this.#forget();
  }

  /** A node that came back is not gone. */
  delete(id: string): void {
    this.#nodes.delete(id);
  }

  #forget(): void {
    for (const [id, { goneMs }] of this.#nodes) {
      if (this.#nodes.size <= maxNodes && this.#clock.now() - goneMs < keptMs) return;
      this.#nodes.delete(id);
      this.#onForgotten(id);
    }
  }
}
