import { HostBudget } from "@lmserv/discovery-network";

/** Node under check. */
export interface Checked {
  readonly id: string;
  readonly host: string;
  /** `host:port` */
  readonly endpoint: string;
}

interface Claim {
  isChecked: boolean;
}

/** Nodes of one host that keep their own pace after their first check, even without an answer. */
const few = 4;
/** Checks of a host beyond these: a handful in 10 s, however many nodes claim to be there. */
const budget = { burst: few, restMs: 5_000, maxRestMs: 10_000 };
/** An endpoint makes room for others with its first answer, and not with each name that it is given. */
const roomMs = 10_000;
/** Bound on endpoints that recently made room. */
const maxEndpoints = 4_096;

/**
 * Nodes that may be checked now, so that a thousand nodes that name one server do not flood it.
 *
 * The node with the first answer at an endpoint keeps its own pace. All others share the budget of their
 * host: for the first check of each, and for every check if more than four have no answer of their own.
 */
export class HostTurns {
  readonly #budget = new HostBudget(budget);
  /** Node of each endpoint that had its first answer. */
  readonly #answered = new Map<string, string>();
  /** By host: nodes without an answer of their own. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  /** Time at which an endpoint last made room, the latest at the end. */
  readonly #roomMs = new Map<string, number>();

  enter({ id, host }: Checked): void {
    const claims = this.#claims.get(host) ?? new Map<string, Claim>();
    this.#claims.set(host, claims.set(id, { isChecked: false }));
  }

  leave({ id, host, endpoint }: Checked): void {
    this.#settle(id, host);
    if (this.#answered.get(endpoint) === id) this.#answered.delete(endpoint);
  }

  /** Returns true if a check may begin now, and counts it. */
  take({ id, host, endpoint }: Checked, nowMs: number): boolean {
    if (this.#answered.get(endpoint) === id) return true;
    const claims = this.#claims.get(host);
    const claim = claims?.get(id);
    const isFree = claims === undefined || (claims.size <= few && claim?.isChecked === true);
    if (!this.#budget.take(host, nowMs) && !isFree) return false;
    if (claim) claim.isChecked = true;
    return true;
  }

  /** Time at which a host has room for another check. */
  dueMs(host: string, nowMs: number): number {
    return Math.max(nowMs, this.#budget.dueMs(host));
  }

  /** Records an answer; returns true if it was the first, and makes room for others of its host. */
  answered({ id, host, endpoint }: Checked, nowMs: number): boolean {
    if (this.#answered.has(endpoint)) return false;
    this.#answered.set(endpoint, id);
    this.#settle(id, host);
    if (nowMs - (this.#roomMs.get(endpoint) ?? Number.NEGATIVE_INFINITY) < roomMs) return false;
    this.#roomMs.delete(endpoint);
    this.#roomMs.set(endpoint, nowMs);
    const [oldest] = this.#roomMs.keys();
    if (this.#roomMs.size > maxEndpoints && oldest !== undefined) this.#roomMs.delete(oldest);
    this.#budget.giveBack(host);
    return true;
  }

  #settle(id: string, host: string): void {
    const claims = this.#claims.get(host);
    claims?.delete(id);
    if (claims?.size === 0) this.#claims.delete(host);
  }
}
