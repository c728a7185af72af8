import type { Clock } from "./clock.ts";
import type { ObservationSink } from "./observation-stream.ts";
import { slotOf } from "./source.ts";
import type { BrowseQuery, Observation } from "./transport.ts";

/** A browse that goes on from session to session. */
export class SupervisedBrowse {
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  readonly stopping: AbortController = new AbortController();
  readonly #clock: Clock;
  /** How to drop what is held back, by slot: no more than the session reports. */
  readonly #held = new Map<string, () => void>();

  constructor(query: BrowseQuery, sink: ObservationSink, clock: Clock) {
    this.query = query;
    this.sink = sink;
    this.#clock = clock;
  }

  /** Passes an observation on, at once or, where it says that something is missing, not before `patienceMs`. */
  pass(observation: Observation, patienceMs: number): void {
    const slot = "key" in observation ? slotOf(observation) : observation.via;
    this.#held.get(slot)?.();
    this.#held.delete(slot);
    const leftMs = patienceMs - this.#clock.now();
    if (leftMs <= 0 || !isMissing(observation)) this.sink.push(observation);
    else
      this.#held.set(
        slot,
        this.#clock.schedule(leftMs, () => this.sink.push(observation)),
      );
  }

  dropHeld(): void {
    for (const cancel of this.#held.values()) cancel();
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
