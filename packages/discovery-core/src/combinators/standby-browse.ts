import { DiscoveryError, toDiscoveryError } from "../contract/errors.ts";
import type { SeenNode } from "../contract/node.ts";
import type { BrowseQuery, Observation, TransportContext } from "../contract/transport.ts";
import { forward, type ObservationSink } from "../streams/observation-stream.ts";
import { type Member, viasOf } from "./compose.ts";

/** State that the browses of a standby share. */
export interface Turns {
  /** True once a turn of the second was reported, until the first is heard again. */
  isReported: boolean;
}

export interface StandbyBrowseOptions {
  readonly first: Member;
  readonly second: Member;
  readonly afterMs: number;
  readonly isOwn: (node: SeenNode) => boolean;
  readonly turns: Turns;
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  readonly context: TransportContext;
}

/** Bound on heard nodes: one suffices to wait, a few bridge its end, and others are heard again. */
const maxHeard = 64;

/**
 * Browse of a standby: `silent` waits for the second's turn, `hearing` lasts while the first hears another
 * host.
 */
export class StandbyBrowse {
  readonly #options: StandbyBrowseOptions;
  readonly #stopping = new AbortController();
  /** End of each other host's node that the first reported, by key. */
  readonly #heard = new Map<string, number>();
  /** Failures by member. */
  readonly #failures = new Map<string, DiscoveryError>();
  readonly #unsettled: Set<string>;
  /** Names of the second that have not settled since they were lost. */
  readonly #lost = new Set<string>();
  #state: "silent" | "hearing" | "running" = "silent";
  #cancelTimer: () => void = () => {};
  #stopSecond: () => void = () => {};

  constructor(options: StandbyBrowseOptions) {
    this.#options = options;
    this.#unsettled = new Set(viasOf(options.second));
  }

  start(): void {
    this.#fallSilent();
    this.#browseFirst();
  }

  stop(): void {
    this.#cancelTimer();
    this.#stopping.abort();
    this.#stopSecond();
  }

  async #browseFirst(): Promise<void> {
    const { first, query, sink } = this.#options;
    try {
      await forward(first.session.browse(query, this.#stopping), (observation) => this.#take(observation));
      sink.end();
    } catch (error) {
      if (this.#stopping.signal.aborted || !this.#survives(error, first)) return;
      this.#heard.clear();
      this.#run(`${first.name} failed`);
    }
  }

  #take(observation: Observation): void {
    this.#options.sink.push(observation);
    if (observation.kind === "alive") {
      const { key, node, ttlMs } = observation;
      if (!this.#options.isOwn(node)) this.#hear(key, ttlMs);
    } else if (observation.kind === "gone") {
      this.#heard.delete(observation.key);
    } else if (observation.kind === "lost") {
      this.#heard.clear();
    }
    if (this.#state === "hearing" && this.#heard.size === 0) this.#fallSilent();
  }

  #hear(key: string, ttlMs = Number.POSITIVE_INFINITY): void {
    if (this.#heard.has(key) || this.#heard.size < maxHeard) {
      this.#heard.set(key, this.#options.context.clock.now() + ttlMs);
    }
    if (this.#state === "hearing") return;
    this.#state = "hearing";
    this.#options.turns.isReported = false;
    this.#stopSecond();
    this.#logWait(`${this.#options.first.name} hears other hosts`);
    this.#settleSecond();
    this.#checkHeard();
  }

  /** Forgets unconfirmed nodes, and checks again when the last of the others may have expired. */
  #checkHeard(): void {
    const nowMs = this.#options.context.clock.now();
    for (const [key, untilMs] of this.#heard) if (untilMs <= nowMs) this.#heard.delete(key);
    if (this.#heard.size === 0) return this.#fallSilent();
    const lastMs = Math.max(...this.#heard.values()) - nowMs;
    this.#schedule(Math.min(lastMs, this.#options.query.ttlMs), () => this.#checkHeard());
  }

  #fallSilent(): void {
    const { first, afterMs } = this.#options;
    this.#state = "silent";
    this.#logWait(`${first.name} has ${afterMs} ms to hear another host`);
    this.#schedule(afterMs, () => this.#run(`${first.name} heard no other host for ${afterMs} ms`));
  }

  #run(why: string): void {
    this.#cancelTimer();
    if (this.#state === "running") return;
    this.#state = "running";
    this.#reportTurn(why);
    this.#browseSecond();
  }

  async #browseSecond(): Promise<void> {
    const { second, query } = this.#options;
    const stopping = new AbortController();
    this.#stopSecond = () => stopping.abort();
    try {
      await forward(second.session.browse(query, stopping), (observation) => this.#pass(observation));
    } catch (error) {
      if (!stopping.signal.aborted) this.#survives(error, second);
    }
  }

  /** Each browse settles once, however often the second has its turn, and again after a loss. */
  #pass(observation: Observation): void {
    const { kind, via } = observation;
    if (kind === "lost") this.#lost.add(via);
    const isDue = this.#lost.has(via) || this.#unsettled.has(via);
    if (kind === "settled" && !isDue) return;
    if (kind === "settled") for (const awaited of [this.#lost, this.#unsettled]) awaited.delete(via);
    this.#options.sink.push(observation);
  }

  /** A waiting member has nothing left to look through. */
  #settleSecond(): void {
    for (const via of this.#unsettled) if (!this.#lost.has(via)) this.#pass({ kind: "settled", via });
  }

  /** Reports a member's failure; ends the browse when the other has failed as well. */
  #survives(error: unknown, { name }: Member): boolean {
    const { context, sink } = this.#options;
    const failure = toDiscoveryError(error, "TRANSPORT_FAILED", name);
    this.#failures.set(name, failure);
    context.report(failure);
    if (this.#failures.size < 2) return true;
    sink.fail(new AggregateError([...this.#failures.values()], "every transport failed"));
    return false;
  }

  #schedule(delayMs: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.context.clock.schedule(delayMs, callback);
  }

  /** Reports a turn of the second, which is news for a user who relies on the first; waiting is normal. */
  #reportTurn(why: string): void {
    const { second, context, turns } = this.#options;
    const message = `${second.name} runs: ${why}`;
    if (turns.isReported) context.log("info", message, { via: second.name });
    else context.report(new DiscoveryError("STANDBY_RUNS", message, { via: second.name }));
    turns.isReported = true;
  }

  #logWait(why: string): void {
    const { name } = this.#options.second;
    this.#options.context.log("info", `${name} waits: ${why}`, { via: name });
  }
}
