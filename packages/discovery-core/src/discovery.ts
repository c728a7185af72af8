import { completeAnnouncement } from "./announcement.ts";
import { changeStream } from "./change-stream.ts";
import { type Clock, systemClock } from "./clock.ts";
import { compose } from "./compose.ts";
import { DiscoveryError, isDiscoveryError, toDiscoveryError } from "./errors.ts";
import { ExpiryTimer } from "./expiry-timer.ts";
import { type Log, silentLog } from "./log.ts";
import type { Announcement, NodeInfo } from "./node.ts";
import { forward } from "./observation-stream.ts";
import { systemRandom } from "./random.ts";
import { Registry, type RegistryChange } from "./registry.ts";
import type { Sink } from "./stream.ts";
import { supervise } from "./supervise.ts";
import type { NodeView, Observation, Transport, TransportContext, TransportSession } from "./transport.ts";

export interface DiscoveryOptions {
  /** At least one; names must differ. */
  readonly transports: readonly Transport[];
  /** How long a node stays listed without a confirmation, in ms, 1_000..86_400_000. @default 60_000 */
  readonly ttlMs?: number;
  /** How many nodes are kept at most. @default 10_000 */
  readonly capacity?: number;
  /** Whether a host without a usable network interface is waited for, or an error. @default true */
  readonly waitForNetwork?: boolean;
  /** Takes each fault that did not stop discovery. @default none; `warnings` keeps the latest */
  readonly onWarning?: (warning: DiscoveryError) => void;
  readonly log?: Log;
  readonly clock?: Clock;
  /** Uniform in [0, 1); identities are made of it. @default the system's entropy */
  readonly random?: () => number;
  /** Gives up the opening. */
  readonly signal?: AbortSignal;
}

export interface DiscoverOptions {
  /** How long to look, in ms. @default 3_000 */
  readonly timeoutMs?: number;
  /** Ends the look as soon as so many nodes are listed. @default never */
  readonly atLeast?: number;
  readonly signal?: AbortSignal;
}

/** How a transport fares. */
export interface TransportStatus {
  readonly name: string;
  /** Whether its first pass over the medium is done. */
  readonly settled: boolean;
  /** What last took it out, or null if it never failed. */
  readonly error: DiscoveryError | null;
}

/** A node that this process announces; disposal says goodbye. */
export interface StandingAnnouncement extends AsyncDisposable {
  readonly id: string;
}

export interface Discovery extends AsyncDisposable {
  /** The single list that all transports feed. The first look at it starts browsing. */
  readonly registry: NodeView;
  readonly transports: readonly TransportStatus[];
  /** The latest faults that did not stop discovery, oldest first. */
  readonly warnings: readonly DiscoveryError[];
  /**
   * Makes a node known; resolves when the first transport accepted it.
   *
   * @throws {TypeError | RangeError} at once, for a port, `info`, id or path that cannot be announced.
   * @throws {AggregateError | DiscoveryError} when no transport could announce it.
   */
  announce(node: Announcement, options?: { readonly signal?: AbortSignal }): Promise<StandingAnnouncement>;
  /** Looks for `timeoutMs` and resolves with every node that is listed then. */
  discover(options?: DiscoverOptions): Promise<readonly NodeInfo[]>;
  /** Yields `up` for each listed node, then every change until `break`, abort or disposal. */
  watch(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<RegistryChange>;
  /** Has a node that somebody doubts asked for again, on every transport that knows it. */
  reconfirm(id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Enough to explain a failed run; older ones were reported when they happened. */
const maxWarnings = 100;
const never = new AbortController().signal;

/**
 * Opens the transports and resolves when the first can be used.
 *
 * Nothing is sent before something is announced, discovered, watched or read from the registry. A
 * transport that fails later is a warning and is re-opened.
 *
 * @throws {TypeError | RangeError} at once, for a mistake in the options.
 * @throws {DiscoveryError} when the only transport cannot be opened; {AggregateError} when none of several can.
 */
export function createDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  const { transports, ttlMs = 60_000, waitForNetwork = true, signal = never } = options;
  if (!(ttlMs >= 1_000 && ttlMs <= 86_400_000)) {
    throw new RangeError(`ttlMs ${ttlMs} must be from 1000 to 86400000`);
  }
  const outlasts = (error: DiscoveryError): boolean => waitForNetwork && isMissingNetwork(error);
  const transport = compose(transports.map((member) => supervise(member, { outlasts })));
  const engine = new Engine(options, ttlMs);
  return engine.open(transport, signal);
}

function isMissingNetwork(error: DiscoveryError): boolean {
  return error.code === "NO_INTERFACE" || (isDiscoveryError(error.cause) && isMissingNetwork(error.cause));
}

interface MutableStatus extends TransportStatus {
  settled: boolean;
  error: DiscoveryError | null;
}

class Engine implements Discovery {
  readonly transports: readonly MutableStatus[];
  readonly warnings: DiscoveryError[] = [];
  readonly registry: NodeView = { listAlive: () => this.#browsed().listAlive() };
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #onWarning: (warning: DiscoveryError) => void;
  readonly #closing = new AbortController();
  readonly #own = new Set<string>();
  readonly #watchers = new Set<Sink<RegistryChange>>();
  readonly #registry: Registry;
  readonly #expiry: ExpiryTimer;
  #session: TransportSession | null = null;
  #browsing = false;
  #reportedFull = false;

  constructor(options: DiscoveryOptions, ttlMs: number) {
    const { capacity, onWarning = () => {}, log = silentLog } = options;
    this.transports = options.transports.map(({ name }) => ({ name, settled: false, error: null }));
    this.#ttlMs = ttlMs;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#log = log;
    this.#onWarning = onWarning;
    const isSelf = (id: string): boolean => this.#own.has(id);
    this.#registry = new Registry({ isSelf, ...(capacity !== undefined && { capacity }) });
    this.#expiry = new ExpiryTimer(this.#registry, this.#clock, {
      publish: (changes) => this.#publish(changes),
      doubt: (keys) => this.#ask(keys, this.#closing.signal),
    });
  }

  async open(transport: Transport, signal: AbortSignal): Promise<Discovery> {
    const context: TransportContext = {
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      nodes: { listAlive: () => this.#registry.listAlive() },
      report: (error) => this.#warn(error),
    };
    this.#session = await transport.open(context, { signal });
    return this;
  }

  announce(node: Announcement, { signal = never } = {}): Promise<StandingAnnouncement> {
    const announced = completeAnnouncement(node, this.#random);
    return this.#announce(announced, signal);
  }

  async #announce(
    announced: ReturnType<typeof completeAnnouncement>,
    signal: AbortSignal,
  ): Promise<StandingAnnouncement> {
    const { id } = announced;
    const session = this.#open();
    if (!session.announce) {
      throw new DiscoveryError("TRANSPORT_UNAVAILABLE", "none of the chosen transports can announce");
    }
    this.#own.add(id);
    try {
      const handle = await session.announce(announced, { signal });
      return { id, [Symbol.asyncDispose]: () => this.#withdraw(id, handle) };
    } catch (error) {
      this.#own.delete(id);
      throw error;
    }
  }

  async #withdraw(id: string, handle: AsyncDisposable): Promise<void> {
    await handle[Symbol.asyncDispose]();
    this.#own.delete(id);
  }

  async discover(options: DiscoverOptions = {}): Promise<readonly NodeInfo[]> {
    const { timeoutMs = 3_000, atLeast = Number.POSITIVE_INFINITY, signal = never } = options;
    signal.throwIfAborted();
    const ending = new AbortController();
    const enough = (): void => {
      if (this.#registry.size >= atLeast) ending.abort();
    };
    const cancel = this.#clock.schedule(timeoutMs, () => ending.abort());
    const watcher: Sink<RegistryChange> = {
      push: enough,
      fail: () => ending.abort(),
      end: () => ending.abort(),
    };
    const looking = AbortSignal.any([signal, ending.signal, this.#closing.signal]);
    const ended = new Promise<void>((resolve) => looking.addEventListener("abort", () => resolve()));
    this.#watchers.add(watcher);
    if (this.#browsing) this.#feed(looking);
    else this.#browsed();
    enough();
    try {
      await ended;
      signal.throwIfAborted();
      return this.#registry.listAlive();
    } finally {
      cancel();
      this.#watchers.delete(watcher);
      ending.abort();
    }
  }

  watch({ signal = never } = {}): AsyncIterableIterator<RegistryChange> {
    return changeStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        for (const node of this.#registry.listAlive()) sink.push({ kind: "up", node });
        this.#watchers.add(sink);
        this.#browsed();
        return () => this.#watchers.delete(sink);
      },
    });
  }

  async reconfirm(id: string, { signal = never } = {}): Promise<void> {
    const keys = this.#registry.get(id)?.sources.map((source) => source.key) ?? [];
    await this.#ask(keys, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#expiry.stop();
    const session = this.#session;
    this.#session = null;
    await session?.[Symbol.asyncDispose]();
  }

  #open(): TransportSession {
    if (!this.#session) throw new TypeError("this discovery was disposed");
    return this.#session;
  }

  /** The registry, with the browse that all users share under way. */
  #browsed(): Registry {
    if (!this.#browsing && this.#session) {
      this.#browsing = true;
      this.#feed(this.#closing.signal);
    }
    return this.#registry;
  }

  /** Browses into the registry until `signal` aborts. */
  async #feed(signal: AbortSignal): Promise<void> {
    try {
      const browse = this.#open().browse({ ttlMs: this.#ttlMs }, { signal });
      await forward(browse, (observation) => this.#take(observation));
    } catch (error) {
      if (!signal.aborted) this.#warn(toDiscoveryError(error, "TRANSPORT_FAILED", "discovery"));
    }
  }

  #take(observation: Observation): void {
    if (observation.kind === "settled") {
      for (const status of this.transports) status.settled ||= status.name === observation.via;
      return;
    }
    const changes = this.#registry.apply(observation, this.#clock.now());
    this.#publish(changes);
    this.#reportFullness();
    this.#expiry.arm();
    if (observation.kind === "gone") this.#askSurvivors(changes);
  }

  /** A goodbye on one of several paths casts doubt on the others. */
  #askSurvivors(changes: readonly RegistryChange[]): void {
    const keys = changes.flatMap(({ kind, node }) => (kind === "updated" ? node.sources : []));
    this.#ask(
      keys.map((source) => source.key),
      this.#closing.signal,
    );
  }

  async #ask(keys: readonly string[], signal: AbortSignal): Promise<void> {
    const session = this.#session;
    try {
      await Promise.all(keys.map((key) => session?.reconfirm?.(key, { signal })));
    } catch (error) {
      if (!signal.aborted) this.#warn(toDiscoveryError(error, "SEND_FAILED", "discovery"));
    }
  }

  #publish(changes: readonly RegistryChange[]): void {
    for (const change of changes) {
      for (const watcher of [...this.#watchers]) watcher.push(change);
    }
  }

  #reportFullness(): void {
    const { refused, capacity, size } = this.#registry;
    if (refused > 0 && !this.#reportedFull) {
      this.#reportedFull = true;
      const message = `the registry is full with ${size} of ${capacity} nodes: newcomers are refused`;
      this.#warn(new DiscoveryError("REGISTRY_FULL", message));
    }
  }

  #warn(error: DiscoveryError): void {
    if (this.#closing.signal.aborted) return;
    const status = this.transports.find(({ name }) => name === error.via);
    if (status && takesOut(error)) status.error = error;
    this.warnings.push(error);
    if (this.warnings.length > maxWarnings) this.warnings.shift();
    this.#log("warn", error.message, { code: error.code, via: error.via });
    this.#onWarning(error);
  }
}

/** Whether the transport is out of use, rather than hampered. */
function takesOut({ code }: DiscoveryError): boolean {
  return (
    code !== "SEND_FAILED" && code !== "NO_ANSWER" && code !== "REGISTRY_FULL" && code !== "NAME_CONFLICT"
  );
}
