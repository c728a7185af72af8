import { HostBudget } from "@lmserv/discovery-network";

/** Node as it is checked. */
export interface Checked {
  readonly id: string;
  readonly host: string;
  /** `host:port` */
  readonly endpoint: string;
}

interface Claim {
  isChecked: boolean;
}

/** Nodes of one host that are checked at their own pace after their first check, whether or not they answer. */
const few = 4;
/** Checks of a host beyond these: a handful in 10 s, however many nodes claim to be there. */
const budget = { burst: few, restMs: 5_000, maxRestMs: 10_000 };
/** An endpoint makes room for others with its first answer, and not with each name that it is given. */
const roomMs = 10_000;
/** Endpoints that made room lately. */
const maxEndpoints = 4_096;

/**
 * Which nodes may be checked now, so that nobody's server is checked a thousand times because a thousand nodes name it.
 *
 * The node that had the first answer at an endpoint is checked at its own pace. All others share the budget of their
 * host: for the first check of each, and for every check where more than four have no answer of their own.
 */
export class HostTurns {
  readonly #budget = new HostBudget(budget);
  /** The node of each endpoint that had its first answer. */
  readonly #answered = new Map<string, string>();
  /** By host, the nodes without an answer of their own. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  /** When an endpoint made room last, the latest at the end. */
  readonly #roomMs = new Map<string, number>();

  enter({ id, host }: Checked): void {
    const claims = this.#claims.get(host) ?? new Map<string, Claim>();
    this.#claims.set(host, claims.set(id, { isChecked: false }));
  }

  leave({ id, host, endpoint }: Checked): void {
    this.#settle(id, host);
    if (this.#answered.get(endpoint) === id) this.#answered.delete(endpoint);
  }

  /** Whether a check may begin now; counts it if so. */
  take({ id, host, endpoint }: Checked, nowMs: number): boolean {
    if (this.#answered.get(endpoint) === id) return true;
    const claims = this.#claims.get(host);
    const claim = claims?.get(id);
    const isFree = claims === undefined || (claims.size <= few && claim?.isChecked === true);
    if (!this.#budget.take(host, nowMs) && !isFree) return false;
    if (claim) claim.isChecked = true;
    return true;
  }

  /** When a host has room for another check. */
  dueMs(host: string, nowMs: number): number {
    return Math.max(nowMs, this.#budget.dueMs(host));
  }

  /** The server answered; true when that was its first answer, and makes room for others of its host. */
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
