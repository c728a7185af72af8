import type { Clock, ObservationSink, SeenNode } from "@lmserv/discovery-core/transport";

export interface MemoryBrowseOptions {
  readonly via: string;
  readonly ttlMs: number;
  readonly sink: ObservationSink;
  readonly clock: Clock;
  /** Asks every node to answer. */
  readonly ask: () => void;
}

/** Answers on this medium are immediate; real media take time, so users must not count on it. */
const settleMs = 100;

/** Browse that asks twice in the shortest lifetime of its reports, so that none expires. */
export class MemoryBrowse {
  readonly #options: MemoryBrowseOptions;
  #refreshMs: number;
  #cancelRefresh: () => void = () => {};
  #cancelSettled: () => void = () => {};

  constructor(options: MemoryBrowseOptions) {
    this.#options = options;
    this.#refreshMs = options.ttlMs / 2;
  }

  start(): void {
    const { clock, sink, via } = this.#options;
    this.#cancelSettled = clock.schedule(settleMs, () => sink.push({ kind: "settled", via }));
    this.#refresh();
  }

  stop(): void {
    this.#cancelRefresh();
    this.#cancelSettled();
  }

  /** @param origin - Host that sent the report just now. */
  alive(key: string, node: SeenNode, origin: string, evidenceMs: number): void {
    const { via, sink, clock } = this.#options;
    const ttlMs = Math.min(evidenceMs, this.#options.ttlMs);
    sink.push({ kind: "alive", via, key, node, origin, heardMs: clock.now(), ttlMs });
    if (ttlMs / 2 < this.#refreshMs) {
      this.#refreshMs = ttlMs / 2;
      this.#arm();
    }
  }

  gone(key: string, reason: "goodbye" | "unreachable"): void {
    const { via, sink } = this.#options;
    sink.push({ kind: "gone", via, key, reason });
  }

  fail(error: unknown): void {
    this.#options.sink.fail(error);
  }

  #refresh(): void {
    this.#arm();
    this.#options.ask();
  }

  #arm(): void {
    this.#cancelRefresh();
    this.#cancelRefresh = this.#options.clock.schedule(this.#refreshMs, () => this.#refresh());
  }
}
