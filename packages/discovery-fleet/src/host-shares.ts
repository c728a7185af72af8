import { formatEndpoint } from "@lmserv/discovery-core";
import { HostBudget } from "@lmserv/discovery-network";

/** Where a node should answer. */
export interface Subject {
  readonly id: string;
  readonly port: number;
  /** The most likely first. */
  readonly addresses: readonly string[];
}

/** A machine has a few nodes that fell silent; questions beyond these wait, however many records name it. */
const budget = { burst: 4, restMs: 5_000, maxRestMs: 10_000 };
/** An endpoint makes room for others with one answer in so long, and not with each record that names it. */
const roomMs = 10_000;
/** Endpoints that made room lately. */
const maxEndpoints = 4_096;

/**
 * Which nodes may be asked now, so that no server is asked a thousand times because a thousand records name it.
 *
 * A question counts at every address that it may be sent to, until a server answers there.
 */
export class HostShares {
  readonly #budget = new HostBudget(budget);
  /** When an endpoint made room last, the latest at the end. */
  readonly #roomMs = new Map<string, number>();

  /** Whether a question may begin now; counts it if so. */
  take({ addresses }: Subject, nowMs: number): boolean {
    if (addresses.some((address) => this.#budget.dueMs(address) > nowMs)) return false;
    for (const address of addresses) this.#budget.take(address, nowMs);
    return true;
  }

  /** The node is there, and leaves its place to others. */
  answered({ addresses, port }: Subject, nowMs: number): void {
    for (const address of addresses) {
      const endpoint = formatEndpoint(address, port);
      if (nowMs - (this.#roomMs.get(endpoint) ?? Number.NEGATIVE_INFINITY) < roomMs) continue;
      this.#roomMs.delete(endpoint);
      this.#roomMs.set(endpoint, nowMs);
      const [oldest] = this.#roomMs.keys();
      if (this.#roomMs.size > maxEndpoints && oldest !== undefined) this.#roomMs.delete(oldest);
      this.#budget.giveBack(address);
    }
  }
}
