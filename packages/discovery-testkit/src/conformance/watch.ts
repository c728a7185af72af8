import type { Alive, Clock, Gone, Observation, ResolvedAnnouncement } from "@lmserv/discovery-core/transport";

type Ending =
  | { readonly kind: "running" }
  | { readonly kind: "returned" }
  | { readonly kind: "threw"; readonly error: unknown };

/** Browse with all its observations. */
export class Watch {
  readonly seen: Observation[] = [];
  /** Deadline of the latest report of each key; -Infinity for a node that is gone. */
  readonly deadlinesMs: Map<string, number> = new Map();
  #ending: Ending = { kind: "running" };

  constructor(browse: AsyncIterable<Observation>, clock: Clock) {
    this.#run(browse, clock);
  }

  get ending(): Ending {
    return this.#ending;
  }

  /** Reports of a node under all its keys. */
  reportsOf(node: ResolvedAnnouncement): readonly Alive[] {
    return this.seen
      .filter((seen) => seen.kind === "alive")
      .filter(({ node: { port } }) => port === node.port);
  }

  sees(node: ResolvedAnnouncement): boolean {
    return this.reportsOf(node).length > 0;
  }

  keysOf(node: ResolvedAnnouncement): readonly string[] {
    return [...new Set(this.reportsOf(node).map(slotOf))];
  }

  /** True if every key of the node is gone for this reason. */
  lost(node: ResolvedAnnouncement, reason: Gone["reason"]): boolean {
    return this.keysOf(node).every((slot) => {
      const last = this.seen.findLast((seen) => "key" in seen && slotOf(seen) === slot);
      return last?.kind === "gone" && last.reason === reason;
    });
  }

  /** Count of keys that hold at `nowMs`. */
  countHeld(nowMs: number): number {
    return [...this.deadlinesMs.values()].filter((deadlineMs) => deadlineMs > nowMs).length;
  }

  async #run(browse: AsyncIterable<Observation>, clock: Clock): Promise<void> {
    try {
      for await (const observation of browse) this.#take(observation, clock.now());
      this.#ending = { kind: "returned" };
    } catch (error) {
      this.#ending = { kind: "threw", error };
    }
  }

  #take(observation: Observation, nowMs: number): void {
    this.seen.push(observation);
    if (!("key" in observation)) return;
    const untilMs = observation.kind === "gone" ? Number.NEGATIVE_INFINITY : endMs(observation, nowMs);
    this.deadlinesMs.set(slotOf(observation), untilMs);
  }
}

function endMs({ ttlMs = Number.POSITIVE_INFINITY }: Alive, nowMs: number): number {
  return nowMs + ttlMs;
}

/** Keys are unique within one transport, and a composition has several. */
export function slotOf({ via, key }: Alive | Gone): string {
  return `${via}\0${key}`;
}
