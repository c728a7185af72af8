import {
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  type Observation,
  type ObservationSink,
  observationStream,
  type TransportContext,
  type TransportSession,
  toDiscoveryError,
} from "@lmserv/discovery-core";
import { listLinks } from "./links.ts";
import type { Machine } from "./machine.ts";
import { Neighborhood } from "./neighborhood.ts";
import type { Sighting } from "./roster.ts";
import type { Settings } from "./settings.ts";
import { Sweeper } from "./sweeper.ts";
import type { NeighborTable } from "./table.ts";
import { type PassReport, Watch } from "./watch.ts";

interface Subscriber {
  readonly ttlMs: number;
  readonly sink: ObservationSink;
}

/** Looks for servers among the neighbours for as long as anybody browses. */
export class ArpSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #settings: Settings;
  readonly #machine: Machine;
  readonly #table: NeighborTable;
  readonly #sweeper: Sweeper;
  readonly #subscribers = new Set<Subscriber>();
  readonly #closing = new AbortController();
  #watch: Watch | null = null;
  #reportedSilence = false;

  constructor(context: TransportContext, settings: Settings, machine: Machine) {
    this.#context = context;
    this.#settings = settings;
    this.#machine = machine;
    this.#table = machine.openTable();
    this.#sweeper = new Sweeper(context, settings, machine);
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when there is no link to use, or no way to the table. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { via } = this.#settings;
    const links = listLinks(this.#machine.system());
    const used = new Neighborhood(links, this.#settings).links;
    if (used.length === 0) throw this.#noInterface(links.map(({ name }) => name));
    // An abort is told apart here, so that no listener stays behind on a signal that lives on.
    const neighbors = await this.#table.read(this.#closing.signal).catch((error: unknown) => {
      const message = "this system's neighbour table cannot be read";
      throw new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via, cause: error });
    });
    signal.throwIfAborted();
    this.#context.log("debug", `${neighbors.length} neighbours, read by ${this.#table.way}`, { links: used });
  }

  browse({ ttlMs }: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => this.#subscribe({ ttlMs, sink }),
    });
  }

  async reconfirm(key: string, { signal }: Cancellable): Promise<void> {
    signal.throwIfAborted();
    this.#watch?.reconfirm(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#rest();
  }

  #subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    this.#watch ??= this.#newWatch();
    const watch = this.#watch;
    for (const sighting of watch.sightings()) this.#tell(subscriber, sighting);
    watch.settle().then(
      (report) => {
        this.#reportSilence(report);
        subscriber.sink.push({ kind: "settled", via: this.#settings.via });
      },
      (error: unknown) => subscriber.sink.fail(this.#failure(error)),
    );
    return () => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) this.#rest();
    };
  }

  #newWatch(): Watch {
    const { via } = this.#settings;
    const ttlMs = (): number => Math.min(...[...this.#subscribers].map((subscriber) => subscriber.ttlMs));
    const parts = {
      context: this.#context,
      settings: this.#settings,
      machine: this.#machine,
      table: this.#table,
      sweeper: this.#sweeper,
      ttlMs,
    };
    return new Watch(parts, {
      alive: (sighting) => {
        for (const subscriber of this.#subscribers) this.#tell(subscriber, sighting);
      },
      gone: (key) => {
        for (const { sink } of this.#subscribers)
          sink.push({ kind: "gone", via, key, reason: "unreachable" });
      },
      died: (error) => {
        for (const { sink } of [...this.#subscribers]) sink.fail(this.#failure(error));
      },
    });
  }

  #tell({ ttlMs, sink }: Subscriber, sighting: Sighting): void {
    const { key, host: origin, node, seenMs, answeredMs: heardMs } = sighting;
    const { via } = this.#settings;
    const leftMs = ttlMs - (this.#context.clock.now() - seenMs);
    if (leftMs > 0) sink.push({ kind: "alive", via, key, node, origin, heardMs, ttlMs: leftMs });
  }

  #rest(): void {
    this.#watch?.stop();
    this.#watch = null;
  }

  #failure(error: unknown): DiscoveryError {
    return toDiscoveryError(error, "TRANSPORT_FAILED", this.#settings.via);
  }

  #noInterface(present: readonly string[]): DiscoveryError {
    const { interfaces, via } = this.#settings;
    const among = interfaces ? ` among ${interfaces.map((name) => JSON.stringify(name)).join(", ")}` : "";
    const message = `no interface${among} leads to a LAN (interfaces that are up: ${present.join(", ") || "none"})`;
    const cause = new DiscoveryError("NO_INTERFACE", message, { via });
    return new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via, cause });
  }

  /** Says once why nothing is listed. */
  #reportSilence({ hosts, servers }: PassReport): void {
    if (servers > 0 || this.#reportedSilence) return;
    this.#reportedSilence = true;
    const { via, sweep } = this.#settings;
    const who =
      hosts === 0 ? "no neighbour is known" : `no LLM server answers on the ${hosts} hosts that are known`;
    const advice = sweep ? "" : "; a sweep would ask every address of the subnet";
    this.#context.report(new DiscoveryError("NO_ANSWER", `${who}${advice}`, { via }));
  }
}
