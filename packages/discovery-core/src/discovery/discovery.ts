import { compose, viasOf } from "../combinators/compose.ts";
import { supervise } from "../combinators/supervise.ts";
import { assertAnnouncement, completeAnnouncement } from "../contract/announcement.ts";
import { DiscoveryError, isDiscoveryError } from "../contract/errors.ts";
import type { Announcement, NodeInfo } from "../contract/node.ts";
import type { RegistryChange } from "../contract/registry-change.ts";
import type {
  NodeView,
  ResolvedAnnouncement,
  Transport,
  TransportContext,
  TransportSession,
} from "../contract/transport.ts";
import { assertOptions, assertShape, nameShape } from "../options/options-check.ts";
import { Registry } from "../registry/registry.ts";
import { Stream } from "../streams/stream.ts";
import { type Clock, isoTime, systemClock } from "../time/clock.ts";
import { systemRandom } from "../time/random.ts";
import { changeStream } from "./change-stream.ts";
import type { DiscoverOptions, DiscoveryOptions } from "./discovery-options.ts";
import { type Cancelling, cancelShapes, creationShapes, lookShapes } from "./discovery-shapes.ts";
import { Feed } from "./feed.ts";
import { monitor } from "./monitoring.ts";
import { matches, type NodeFilter } from "./node-filter.ts";
import { StatusReport, type TransportStatus } from "./status-report.ts";

/** Announced node of this process; disposal says goodbye. */
export interface NodeRegistration extends AsyncDisposable {
  readonly id: string;
  /**
   * Changes the node's description, without a goodbye; absent fields stay as they were.
   *
   * @throws {TypeError | RangeError} at once, for an invalid description.
   */
  update(changes: AnnouncementChanges, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Changeable fields of an announced node: all but its identity and its name. */
export type AnnouncementChanges = Partial<Omit<Announcement, "id" | "name">>;

export interface Discovery extends AsyncDisposable {
  /** Single list that all transports feed. Its first use starts browsing. */
  readonly registry: NodeView;
  readonly transports: readonly TransportStatus[];
  /** Latest faults that did not stop discovery, oldest first. */
  readonly warnings: readonly DiscoveryError[];
  /**
   * Announces a node; resolves when the first transport accepted it.
   *
   * @throws {TypeError | RangeError} at once, for an invalid node; the message names the value.
   * @throws {AggregateError | DiscoveryError} when no transport could announce it.
   */
  announce(node: Announcement, options?: { readonly signal?: AbortSignal }): Promise<NodeRegistration>;
  /**
   * Searches for `timeoutMs`, or until its options end it earlier. Resolves with every node that is listed
   * then and fits.
   *
   * With a health monitor, nodes without a check yet have 700 ms more.
   */
  discover(options?: DiscoverOptions): Promise<readonly NodeInfo[]>;
  /** Yields `up` for each listed node, then every change until `break`, abort or disposal. */
  watch(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<RegistryChange>;
  /** Asks again for a doubted node, on every transport that knows it. */
  reconfirm(id: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

const never = new AbortController().signal;

/**
 * Opens the transports and resolves when each is usable or has failed, and at least one is usable.
 *
 * Nothing is sent before the first announcement, search, watch or reading of the registry. A later failure of
 * a transport is a warning, and the transport is re-opened.
 *
 * @throws {TypeError | RangeError} at once, for a mistake in the options.
 * @throws {DiscoveryError} when the only transport cannot be opened; {AggregateError} when none of several
 * can.
 */
export function createDiscovery(options: DiscoveryOptions): Promise<Discovery> {
  assertOptions("createDiscovery", options, creationShapes, ["transports"]);
  const { ttlMs = 60_000, capacity = 10_000, signal = never } = options;
  const { clock = systemClock, random = systemRandom } = options;
  const transport = transportOf(options);
  const closing = new AbortController();
  const own = new Set<ResolvedAnnouncement>();
  const registry = new Registry({
    capacity,
    ttlMs,
    isSelf: (id) => [...own].some((node) => node.id === id),
    isoTime: (ms) => isoTime(clock, ms),
  });
  const status = new StatusReport(options, closing.signal);
  let feed: Feed | null = null;
  const context: TransportContext = {
    clock,
    random,
    log: status.log,
    nodes: { listAlive: () => registry.listAlive() },
    report: (error) => status.warn(error),
    ...(viasOf(transport).length > 1 && { follow: (onChange) => follow(registry, feed, onChange) }),
  };
  return transport.open(context, { signal }).then((session) => {
    const closed = closing.signal;
    feed = new Feed({ session, registry, status, clock, ttlMs, closed });
    if (options.health) monitor(options.health, { clock, random, log: status.log, registry, feed, closed });
    const isMonitored = options.health !== undefined;
    return new OpenDiscovery({ session, registry, status, feed, clock, random, own, closing, isMonitored });
  });
}

function transportOf({ transports, waitForNetwork = true }: DiscoveryOptions): Transport {
  const outlasts = (error: DiscoveryError): boolean => waitForNetwork && isAbsence(error);
  return compose(transports.map((member) => supervise(member, { outlasts })));
}

/** Reports to one of several transports the nodes that all of them find. */
function follow(
  registry: Registry,
  feed: Feed | null,
  onChange: (change: RegistryChange) => void,
): () => void {
  if (!feed) throw new TypeError("there is nothing to follow before all transports are open");
  for (const node of registry.listAlive()) onChange({ kind: "up", node });
  const unsubscribe = feed.subscribe(onChange);
  feed.start();
  return unsubscribe;
}

/** True for a missing network or server, which may come later. */
function isAbsence({ code, cause }: DiscoveryError): boolean {
  if (code === "NO_INTERFACE" || code === "MEDIUM_UNREACHABLE") return true;
  return isDiscoveryError(cause) && isAbsence(cause);
}

interface EngineParts {
  readonly session: TransportSession;
  readonly registry: Registry;
  readonly status: StatusReport;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: () => number;
  /** Announcements of this process. */
  readonly own: Set<ResolvedAnnouncement>;
  readonly closing: AbortController;
  readonly isMonitored: boolean;
}

interface Look {
  readonly timeoutMs: number;
  readonly atLeast: number;
  readonly untilSettled: boolean;
  readonly signal: AbortSignal;
  readonly filter: NodeFilter;
}

/**
 * Wait for first checks in ms: a nearby server answers within some 10 ms, a busy one within half a second.
 */
const checkMs = 700;

class OpenDiscovery implements Discovery {
  readonly registry: NodeView = { listAlive: () => this.#looked().listAlive() };
  readonly #parts: EngineParts;
  #closed: Promise<void> | null = null;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get transports(): readonly TransportStatus[] {
    return this.#parts.status.transports;
  }

  get warnings(): readonly DiscoveryError[] {
    return this.#parts.status.warnings;
  }

  announce(node: Announcement, options: Cancelling = {}): Promise<NodeRegistration> {
    assertOptions("announce", options, cancelShapes);
    const { signal = never } = options;
    this.#assertOpen();
    return this.#announce(this.#complete(node), signal);
  }

  discover(options: DiscoverOptions = {}): Promise<readonly NodeInfo[]> {
    assertOptions("discover", options, lookShapes);
    const { timeoutMs = 3_000, atLeast = Number.POSITIVE_INFINITY, signal = never, ...others } = options;
    const { untilSettled = false, ...filter } = others;
    this.#assertOpen();
    return this.#discover({ timeoutMs, atLeast, untilSettled, signal, filter });
  }

  watch(options: Cancelling = {}): AsyncIterableIterator<RegistryChange> {
    assertOptions("watch", options, cancelShapes);
    const { signal = never } = options;
    this.#assertOpen();
    const { registry, feed, closing } = this.#parts;
    return changeStream({
      signal,
      closed: closing.signal,
      start(sink) {
        for (const node of registry.listAlive()) sink.push({ kind: "up", node });
        const unsubscribe = feed.subscribe(sink.push);
        feed.start();
        return unsubscribe;
      },
    });
  }

  reconfirm(id: string, options: Cancelling = {}): Promise<void> {
    assertShape("reconfirm", "id", id, nameShape);
    assertOptions("reconfirm", options, cancelShapes);
    const { signal = never } = options;
    this.#assertOpen();
    return this.#reconfirm(id, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #announce(node: ResolvedAnnouncement, signal: AbortSignal): Promise<NodeRegistration> {
    const { session, own } = this.#parts;
    signal.throwIfAborted();
    if (!session.announce) {
      throw new DiscoveryError("TRANSPORT_UNAVAILABLE", "none of the chosen transports can announce");
    }
    own.add(node);
    try {
      const registration = await session.announce(node, { signal });
      let latest = node;
      return {
        id: node.id,
        update: (changes, options: Cancelling = {}) => {
          assertOptions("update", options, cancelShapes);
          const { signal = never } = options;
          this.#assertOpen();
          const changed = this.#complete({ ...latest, ...changes });
          return registration.update(changed, { signal }).then(() => {
            latest = changed;
          });
        },
        [Symbol.asyncDispose]: () => this.#withdraw(node, registration),
      };
    } catch (error) {
      own.delete(node);
      throw error;
    }
  }

  /** Checks an announcement, and adds the transports' attributes. */
  #complete(node: Announcement): ResolvedAnnouncement {
    const { session, random } = this.#parts;
    assertAnnouncement(node);
    return completeAnnouncement(
      { ...node, attributes: { ...session.attributes, ...node.attributes } },
      random,
    );
  }

  async #withdraw(node: ResolvedAnnouncement, registration: AsyncDisposable): Promise<void> {
    try {
      await registration[Symbol.asyncDispose]();
    } finally {
      this.#parts.own.delete(node);
    }
  }

  async #discover(look: Look): Promise<readonly NodeInfo[]> {
    const { timeoutMs, atLeast, untilSettled, signal, filter } = look;
    const { registry, feed, status, isMonitored } = this.#parts;
    const unsettled = new Set(status.transports.map(({ name }) => name));
    const isSettled = (): boolean =>
      status.transports.every(({ name, error }) => error !== null || !unsettled.has(name));
    const found = (): readonly NodeInfo[] => registry.listAlive().filter((node) => matches(node, filter));
    const isEnough = (): boolean => {
      const wanted = untilSettled && isSettled() ? 1 : atLeast;
      return registry.size >= wanted && found().length >= wanted;
    };
    await this.#wait(isEnough, timeoutMs, signal, (looking, check) =>
      feed.look(looking, (via) => {
        unsettled.delete(via);
        check();
      }),
    );
    const isChecked = (): boolean => registry.listAlive().every(({ health }) => health !== null);
    if (isMonitored) await this.#wait(isChecked, checkMs, signal);
    return found();
  }

  /** Resolves when a condition on the registry holds, at the latest after `timeoutMs`. */
  async #wait(
    condition: () => boolean,
    timeoutMs: number,
    signal: AbortSignal,
    start: (waiting: AbortSignal, check: () => void) => void = () => {},
  ): Promise<void> {
    const { feed, clock, closing } = this.#parts;
    const wait = new Stream<never>({
      signal,
      closed: closing.signal,
      enqueue: () => {},
      start({ end }) {
        const waiting = new AbortController();
        const endIfMet = (): void => {
          if (condition()) end();
        };
        const unsubscribe = feed.subscribe(endIfMet);
        const cancel = clock.schedule(timeoutMs, end);
        start(waiting.signal, endIfMet);
        endIfMet();
        return () => {
          cancel();
          unsubscribe();
          waiting.abort();
        };
      },
    });
    await wait.next();
  }

  async #reconfirm(id: string, signal: AbortSignal): Promise<void> {
    const { registry, feed } = this.#parts;
    const keys = registry.get(id)?.sources.map((source) => source.key) ?? [];
    await feed.ask(keys, signal);
    signal.throwIfAborted();
  }

  async #close(): Promise<void> {
    this.#parts.closing.abort();
    await this.#parts.session[Symbol.asyncDispose]();
  }

  /** Registry, after starting the shared browse. */
  #looked(): Registry {
    this.#assertOpen();
    this.#parts.feed.start();
    return this.#parts.registry;
  }

  #assertOpen(): void {
    if (this.#parts.closing.signal.aborted) throw new TypeError("this discovery was disposed");
  }
}
