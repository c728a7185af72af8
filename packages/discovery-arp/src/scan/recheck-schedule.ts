/** Wait before a neighbor without a server is asked again, in ms; it doubles up to the last. */
const firstRestMs = 15_000;
const lastRestMs = 300_000;

interface Recheck {
  restMs: number;
  dueMs: number;
}

/** Times at which neighbors are asked: at once if new, then ever more seldom. */
export class RecheckSchedule {
  /** Bounded by the neighbor table: hosts of the latest `retain`, and those that came since. */
  readonly #known = new Map<string, Recheck>();

  /** Returns true if a host is due, and counts it as asked. */
  isDue(host: string, nowMs: number): boolean {
    const { restMs, dueMs } = this.#known.get(host) ?? { restMs: firstRestMs, dueMs: nowMs };
    if (dueMs > nowMs) return false;
    this.#known.set(host, { restMs: Math.min(restMs * 2, lastRestMs), dueMs: nowMs + restMs });
    return true;
  }

  /** True if a host is due; does not count it. */
  mayBeAsked(host: string, nowMs: number): boolean {
    return (this.#known.get(host)?.dueMs ?? nowMs) <= nowMs;
  }

  /** Restarts the series of a host whose server vanished and may come back. */
  startAnew(host: string, nowMs: number): void {
    this.#known.set(host, { restMs: firstRestMs, dueMs: nowMs + firstRestMs });
  }

  /** Forgets all other hosts. */
  retain(hosts: ReadonlySet<string>): void {
    for (const host of this.#known.keys()) if (!hosts.has(host)) this.#known.delete(host);
  }
}
