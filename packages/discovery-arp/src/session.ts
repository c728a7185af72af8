import { DiscoveryError } from "@lmserv/discovery-core";
import {
  type BrowseQuery,
  type Cancellable,
  type Observation,
  observationStream,
  type TransportContext,
  type TransportSession,
  toDiscoveryError,
} from "@lmserv/discovery-core/transport";
import { listLinks } from "./links.ts";
import { OnLinkFilter } from "./neighbors/on-link-filter.ts";
import type { NeighborTable } from "./neighbors/table.ts";
import type { Platform } from "./platform.ts";
import type { Browse } from "./scan/neighbor-cache.ts";
import { Watch } from "./scan/watch.ts";
import type { Settings } from "./settings.ts";
import { Sweeper } from "./sweep/sweeper.ts";

/** Searches the neighbors for servers while there is a browse. */
export class ArpSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #settings: Settings;
  readonly #machine: Platform;
  readonly #table: NeighborTable;
  readonly #sweeper: Sweeper;
  readonly #closing = new AbortController();
  #watch: Watch | null = null;
  #failure: DiscoveryError | null = null;
  #reportedSilence = false;

  constructor(context: TransportContext, settings: Settings, machine: Platform) {
    this.#context = context;
    this.#settings = settings;
    this.#machine = machine;
    this.#table = machine.openTable();
    this.#sweeper = new Sweeper(context, settings, machine);
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when there is no usable link or no readable table. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { via } = this.#settings;
    const links = listLinks(this.#machine.system());
    const used = new OnLinkFilter(links, this.#settings).links;
    if (used.length === 0) throw this.#noInterface(links.map(({ name }) => name));
    // Aborts are handled here, so that no listener stays on a signal that lives on.
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
      start: (sink) => this.#start({ ttlMs, sink }),
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

  #start(browse: Browse): () => void {
    if (this.#failure) throw this.#failure;
    this.#watch ??= new Watch({
      context: this.#context,
      settings: this.#settings,
      machine: this.#machine,
      table: this.#table,
      sweeper: this.#sweeper,
      onSilence: (hosts) => this.#reportSilence(hosts),
      onIdle: () => this.#rest(),
      onFailed: (error) => this.#fail(error),
    });
    return this.#watch.add(browse);
  }

  #rest(): void {
    this.#watch?.stop();
    this.#watch = null;
  }

  #fail(cause: unknown): void {
    this.#failure = toDiscoveryError(cause, "TRANSPORT_FAILED", this.#settings.via);
    this.#watch?.fail(this.#failure);
  }

  #noInterface(present: readonly string[]): DiscoveryError {
    const { interfaces, via } = this.#settings;
    const among = interfaces ? ` among ${interfaces.map((name) => JSON.stringify(name)).join(", ")}` : "";
    const message = `no interface${among} leads to a LAN (interfaces that are up: ${present.join(", ") || "none"})`;
    const cause = new DiscoveryError("NO_INTERFACE", message, { via });
    return new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via, cause });
  }

  /** Reports once why nothing is listed. */
  #reportSilence(hosts: number): void {
    if (this.#reportedSilence) return;
    this.#reportedSilence = true;
    const { via, sweep } = this.#settings;
    const who =
      hosts === 0 ? "no neighbour is known" : `no LLM server answers on the ${hosts} hosts that are known`;
    const advice = sweep ? "" : "; a sweep would ask every address of the subnet";
    this.#context.report(new DiscoveryError("NO_ANSWER", `${who}${advice}`, { via }));
  }
}
