import type { BrowseQuery, Observation } from "../contract/transport.ts";
import { slotOf } from "../registry/source.ts";
import type { ObservationSink } from "../streams/observation-stream.ts";
import type { Clock } from "../time/clock.ts";

/** As many as a registry lists; what comes and goes beside them is nobody who was listed before. */
const maxHeld = 10_000;

/** A browse that goes on from session to session. */
export class SupervisedBrowse {
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  readonly stopping: AbortController = new AbortController();
  readonly #clock: Clock;
  /** What is held back, by slot. */
  readonly #held = new Map<string, Observation>();
  #cancel: () => void = () => {};

  constructor(query: BrowseQuery, sink: ObservationSink, clock: Clock) {
    this.query = query;
    this.sink = sink;
    this.#clock = clock;
  }

  /** Passes an observation on, at once or, where it says that something is missing, not before `patienceMs`. */
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

/** Whether it says that a node, or whatever it does not name, is not there, though none said goodbye. */
function isMissing(observation: Observation): boolean {
  if (observation.kind === "gone") return observation.reason === "unreachable";
  return observation.kind === "settled";
}
