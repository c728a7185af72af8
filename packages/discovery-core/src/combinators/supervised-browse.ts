import type { BrowseQuery, Observation } from "../contract/transport.ts";
import { slotOf } from "../registry/source.ts";
import type { ObservationSink } from "../streams/observation-stream.ts";
import type { Clock } from "../time/clock.ts";

/** Bound on held nodes, the number that a registry lists: others come and go unlisted. */
const maxHeld = 10_000;

/** Browse that continues from session to session. */
export class SupervisedBrowse {
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  readonly stopping: AbortController = new AbortController();
  readonly #clock: Clock;
  /** Observations held back, by slot. */
  readonly #held = new Map<string, Observation>();
  #cancel: () => void = () => {};

  constructor(query: BrowseQuery, sink: ObservationSink, clock: Clock) {
    this.query = query;
    this.sink = sink;
    this.#clock = clock;
  }

  /** Passes an observation on; one that reports something missing waits until `patienceMs`. */
  pass(observation: Observation, patienceMs: number): void {
    const slot = "key" in observation ? slotOf(observation) : observation.via;
    this.#held.delete(slot);
    const leftMs = patienceMs - this.#clock.now();
    const hasRoom = observation.kind === "settled" || this.#held.size < maxHeld;
    if (leftMs <= 0 || !isMissing(observation) || !hasRoom) return this.sink.push(observation);
    this.#held.set(slot, observation);
    this.#cancel();
    this.#cancel = this.#clock.schedule(leftMs, () => {
      for (const one of this.#held.values()) this.sink.push(one);
      this.#held.clear();
    });
  }

  dropHeld(): void {
    this.#cancel();
    this.#held.clear();
  }

  stop(): void {
    this.dropHeld();
    this.stopping.abort();
  }
}

/** True if it reports a node, or all unreported nodes, as missing without a goodbye. */
function isMissing(observation: Observation): boolean {
  if (observation.kind === "gone") return observation.reason === "unreachable";
  return observation.kind === "settled";
}
