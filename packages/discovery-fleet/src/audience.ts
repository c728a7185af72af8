import type { Alive, Clock, DiscoveryErrorCode, ObservationSink, SeenNode } from "@lmserv/discovery-core";

/** What is known of a node at the moment. */
export interface Report {
  readonly key: string;
  readonly node: SeenNode;
  /** The id of the key that signed it. */
  readonly origin: string;
  readonly stale: DiscoveryErrorCode | null;
}

interface Listener {
  readonly ttlMs: number;
  cancel: () => void;
}

/** A report holds for the listener's whole time; it is repeated three times in that. */
const repeatsPerTtl = 3;

/** Tells every browse of the nodes that there are, again and again for as long as they are. */
export class Audience {
  readonly #via: string;
  readonly #clock: Clock;
  readonly #list: () => Iterable<Report>;
  readonly #listeners = new Map<ObservationSink, Listener>();

  /** @param list - Everything that there is to repeat. */
  constructor(via: string, clock: Clock, list: () => Iterable<Report>) {
    this.#via = via;
    this.#clock = clock;
    this.#list = list;
  }

  /** Tells a newcomer of all there is; the result ends that. */
  add(sink: ObservationSink, ttlMs: number): () => void {
    const listener: Listener = { ttlMs, cancel: () => {} };
    const repeat = (): void => {
      for (const report of this.#list()) sink.push(this.#alive(report, ttlMs));
      listener.cancel = this.#clock.schedule(ttlMs / repeatsPerTtl, repeat);
    };
    this.#listeners.set(sink, listener);
    repeat();
    return () => {
      listener.cancel();
      this.#listeners.delete(sink);
    };
  }

  tell(report: Report): void {
    for (const [sink, { ttlMs }] of this.#listeners) sink.push(this.#alive(report, ttlMs));
  }

  dismiss(key: string, reason: "goodbye" | "unreachable"): void {
    for (const sink of this.#listeners.keys()) sink.push({ kind: "gone", via: this.#via, key, reason });
  }

  settle(sinks: Iterable<ObservationSink>): void {
    for (const sink of sinks) sink.push({ kind: "settled", via: this.#via });
  }

  /** What lies in a store was heard of nobody: whoever may write there could have put it. */
  #alive({ key, node, origin, stale }: Report, ttlMs: number): Alive {
    const via = this.#via;
    return { kind: "alive", via, key, node, origin, heardMs: null, ttlMs, ...(stale !== null && { stale }) };
  }
}
