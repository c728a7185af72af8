import { DiscoveryError, toDiscoveryError } from "../contract/errors.ts";
import type { HealthReport } from "../contract/health-monitor.ts";
import type { RegistryChange } from "../contract/registry-change.ts";
import type { Observation, TransportSession } from "../contract/transport.ts";
import { maxSources } from "../registry/entry.ts";
import { ExpiryTimer } from "../registry/expiry-timer.ts";
import type { Registry } from "../registry/registry.ts";
import { onAbort } from "../streams/abort-listener.ts";
import { forward } from "../streams/observation-stream.ts";
import type { Clock } from "../time/clock.ts";
import type { StatusReport } from "./status-report.ts";

export interface FeedOptions {
  readonly session: TransportSession;
  readonly registry: Registry;
  readonly status: StatusReport;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly closed: AbortSignal;
}

/** Keeps a registry in step with the medium, from its first use until it is closed. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #watchers = new Set<(change: RegistryChange) => void>();
  readonly #expiry: ExpiryTimer;
  #started = false;
  #onStart: () => void = () => {};
  #reportedFull = false;

  constructor(options: FeedOptions) {
    const { registry, clock, closed } = options;
    this.#options = options;
    this.#expiry = new ExpiryTimer(registry, clock, {
      publish: (changes) => this.#publish(changes),
      doubt: (keys) => this.ask(keys, closed),
    });
    onAbort(closed, () => this.#expiry.stop());
  }

  /** Calls back at every change; returns the function that ends it. */
  subscribe(watcher: (change: RegistryChange) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls back when the shared browse starts. */
  onStart(callback: () => void): void {
    this.#onStart = callback;
  }

  /** Takes the outcome of a check of a node. */
  assess(id: string, report: HealthReport): void {
    if (!this.#options.closed.aborted) this.#publish(this.#options.registry.assess(id, report));
  }

  /** Starts the shared browse, once. */
  start(onSettled: (via: string) => void = () => {}): void {
    if (this.#started) return;
    this.#started = true;
    this.#browse(this.#options.closed, onSettled);
    this.#onStart();
  }

  /**
   * Asks the medium anew: by the shared browse if that is new, or by another until `signal`.
   *
   * @param onSettled - Called with each transport whose first pass for this question is done.
   */
  look(signal: AbortSignal, onSettled: (via: string) => void): void {
    if (this.#started) this.#browse(signal, onSettled);
    else this.start(onSettled);
  }

  /** Asks the medium again for these keys; a failure is a warning. */
  async ask(keys: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all([...new Set(keys)].map((key) => this.#askFor(key, signal)));
  }

  async #askFor(key: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.session.reconfirm?.(key, { signal });
    } catch (error) {
      if (!signal.aborted) this.#options.status.warn(toDiscoveryError(error, "SEND_FAILED", null));
    }
  }

  async #browse(signal: AbortSignal, onSettled: (via: string) => void): Promise<void> {
    const { session, ttlMs, status } = this.#options;
    try {
      await forward(session.browse({ ttlMs }, { signal }), (observation) => {
        this.#take(observation);
        if (observation.kind === "settled") onSettled(observation.via);
      });
    } catch (error) {
      if (!signal.aborted) status.warn(toDiscoveryError(error, "TRANSPORT_FAILED", null));
    }
  }

  #take(observation: Observation): void {
    const { registry, status, clock, closed } = this.#options;
    if (closed.aborted) return;
    if (observation.kind === "settled") status.settle(observation.via);
    const changes = registry.apply(observation, clock.now());
    this.#publish(changes);
    this.#reportFullness();
    this.#expiry.arm();
    if (observation.kind === "gone") this.#askSurvivors(changes);
    else if (observation.kind === "alive") this.#askSuperseded(changes);
  }

  /** A goodbye on one of several paths casts doubt on the others. */
  #askSurvivors(changes: readonly RegistryChange[]): void {
    const keys = changes.filter(({ kind }) => kind === "updated").flatMap(keysOf);
    this.ask(keys, this.#options.closed);
  }

  /** Reconfirms superseded nodes: any host can forge their address as the source of a packet. */
  #askSuperseded(changes: readonly RegistryChange[]): void {
    const kept = new Set(changes.flatMap((change) => (change.kind === "down" ? [] : keysOf(change))));
    const ended = changes.filter((change) => change.kind === "down" && change.reason === "superseded");
    const keys = ended.flatMap(keysOf).filter((key) => !kept.has(key));
    this.ask(keys, this.#options.closed);
  }

  #publish(changes: readonly RegistryChange[]): void {
    const { registry, status } = this.#options;
    status.follow(registry.lost);
    for (const change of changes) for (const watcher of [...this.#watchers]) watcher(change);
  }

  #reportFullness(): void {
    const { registry, status } = this.#options;
    if (this.#reportedFull || registry.refused === 0) return;
    this.#reportedFull = true;
    const limits = `${registry.capacity} of each transport, and ${maxSources} of each transport for one node`;
    const message = `the registry is full: it keeps at most ${limits}`;
    status.warn(new DiscoveryError("REGISTRY_FULL", message));
  }
}

function keysOf({ node }: RegistryChange): string[] {
  return node.sources.map(({ key }) => key);
}
