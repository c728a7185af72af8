/** A neighbour that turned out to be no server is asked again after this, and ever more seldom. */
const firstRestMs = 15_000;
const lastRestMs = 300_000;

interface Recheck {
  restMs: number;
  dueMs: number;
}

/** When each neighbour is to be asked: at once when it is new, then ever more seldom. */
export class RecheckSchedule {
  /** No more than were retained last, and those that came since: as many as the neighbour table holds. */
  readonly #known = new Map<string, Recheck>();

  /** Whether a host is due; counts it as asked if so. */
  isDue(host: string, nowMs: number): boolean {
    const { restMs, dueMs } = this.#known.get(host) ?? { restMs: firstRestMs, dueMs: nowMs };
    if (dueMs > nowMs) return false;
    this.#known.set(host, { restMs: Math.min(restMs * 2, lastRestMs), dueMs: nowMs + restMs });
    return true;
  }

  /** Whether a host is due, without counting it. */
  mayBeAsked(host: string, nowMs: number): boolean {
    return (this.#known.get(host)?.dueMs ?? nowMs) <= nowMs;
  }

  /** A server vanished there, and may come back. */
  startAnew(host: string, nowMs: number): void {
    this.#known.set(host, { restMs: firstRestMs, dueMs: nowMs + firstRestMs });
  }

  /** Forgets everybody else. */
  retain(hosts: ReadonlySet<string>): void {
    for (const host of this.#known.keys()) if (!hosts.has(host)) this.#known.delete(host);
  }
}
