import { DiscoveryError } from "@lmserv/discovery-core";
import { formatEndpoint, isIPv6, type TransportContext } from "@lmserv/discovery-core/transport";
import { HostBudget } from "@lmserv/discovery-network";
import { listLinks } from "../links.ts";
import type { Neighbor } from "../neighbors/neighbor.ts";
import { OnLinkFilter } from "../neighbors/on-link-filter.ts";
import type { NeighborTable } from "../neighbors/table.ts";
import type { Platform } from "../platform.ts";
import type { Settings } from "../settings.ts";
import type { Sweeper } from "../sweep/sweeper.ts";
import { type Browse, NeighborCache } from "./neighbor-cache.ts";
import { RecheckSchedule } from "./recheck-schedule.ts";
import { type Scan, Scanner } from "./scanner.ts";

/** Interval of reading the table, in ms: short at first and while new neighbors come, longer later. */
const firstPollMs = 1_000;
const lastPollMs = 10_000;
/** Interval of listing IPv6 neighbors, in ms: it takes a process of its own. */
const ipv6EveryMs = 30_000;
/** Ports asked at once: a quarter of the usual limit of a process's descriptors. */
const maxLooks = 256;
/**
 * Ports asked at once on the word of other nodes: an absent host keeps an entry of the kernel's table for 18
 * s.
 */
const maxNamedLooks = 8;
/**
 * Bound on the ports of one host asked on the word of other nodes: as many at once as a machine has servers.
 */
const hearsay = { burst: 4, restMs: 15_000, maxRestMs: 300_000 };

export interface WatchParts {
  readonly context: TransportContext;
  readonly settings: Settings;
  readonly machine: Platform;
  readonly table: NeighborTable;
  readonly sweeper: Sweeper;
  /** Called when none of the known hosts runs a server. */
  readonly onSilence: (hosts: number) => void;
  /** Called when the last browse ends. */
  readonly onIdle: () => void;
  /** Called when the table can no longer be read. */
  readonly onFailed: (error: unknown) => void;
}

/** Searches each known neighbor for LLM servers, until `stop`. */
export class Watch {
  readonly #parts: WatchParts;
  readonly #ending = new AbortController();
  readonly #rechecks = new RecheckSchedule();
  readonly #hearsay = new HostBudget(hearsay);
  readonly #scanner: Scanner;
  /** Scanner of hosts named by other nodes, which delays no neighbor. */
  readonly #named: Scanner;
  readonly #neighborCache: NeighborCache;
  readonly #startedMs: number;
  #passing: Promise<number> | null = null;
  #cancelPoll: () => void = () => {};
  #ipv6DueMs = Number.NEGATIVE_INFINITY;
  #ipv6: readonly Neighbor[] = [];
  #hosts: ReadonlySet<string> = new Set();
  #hasNewcomers = false;
  #reportedFull = false;

  constructor(parts: WatchParts) {
    const { context, machine, settings, table } = parts;
    const { signal } = this.#ending;
    this.#parts = parts;
    this.#startedMs = context.clock.now();
    this.#scanner = new Scanner(machine, context.clock, signal, maxLooks);
    this.#named = new Scanner(machine, context.clock, signal, maxNamedLooks);
    this.#neighborCache = new NeighborCache({
      ...settings,
      clock: context.clock,
      random: context.random,
      macOf: (host) => table.macOf(host),
      fingerprint: (host, port, patient) => this.#scanner.fingerprint(host, port, patient),
      onGone: (host) => this.#rechecks.startAnew(host, context.clock.now()),
      onFull: () => this.#reportFullness(),
    });
  }

  /**
   * Reports servers to a browse until the returned function is called: the known ones, and the end of the
   * first pass.
   */
  add(browse: Browse): () => void {
    const remove = this.#neighborCache.add(browse);
    this.#settle().then(
      () => browse.sink.push({ kind: "settled", via: this.#parts.settings.via }),
      (error: unknown) => this.#fail(error),
    );
    return () => {
      remove();
      if (this.#neighborCache.isIdle) this.#parts.onIdle();
    };
  }

  reconfirm(key: string): void {
    this.#neighborCache.reconfirm(key);
  }

  stop(): void {
    this.#ending.abort();
    this.#cancelPoll();
    this.#neighborCache.stop();
  }

  fail(error: DiscoveryError): void {
    this.#neighborCache.fail(error);
  }

  #fail(error: unknown): void {
    if (!this.#ending.signal.aborted) this.#parts.onFailed(error);
  }

  /** Asks all due hosts; resolves when even slow ones had the time to answer. Rejects when stopped. */
  async #settle(): Promise<void> {
    const hosts = await this.#pass();
    await Promise.all([this.#scanner.ended(), this.#named.isCrowded || this.#named.ended()]);
    await this.#joinTwins(this.#onLinkFilter());
    this.#ending.signal.throwIfAborted();
    if (this.#neighborCache.size === 0) this.#parts.onSilence(hosts);
  }

  /** Asks all due hosts; resolves after a first look at each with their count. Rejects when stopped. */
  #pass(): Promise<number> {
    this.#passing ??= this.#makePass().finally(() => {
      this.#passing = null;
      this.#poll();
    });
    return this.#passing;
  }

  async #makePass(): Promise<number> {
    const { signal } = this.#ending;
    const { sweeper, table } = this.#parts;
    this.#cancelPoll();
    const onLinkFilter = this.#onLinkFilter();
    const ipv4 = await table.read(signal);
    this.#askAll(onLinkFilter.hosts(ipv4));
    this.#askKnownNodes(onLinkFilter);
    if (sweeper.isDue) await this.#sweep(onLinkFilter);
    await this.#askOverIPv6(onLinkFilter);
    this.#rechecks.retain(new Set([...this.#hosts, ...this.#askKnownNodes(onLinkFilter)]));
    await this.#firstLooks();
    await this.#joinTwins(onLinkFilter);
    signal.throwIfAborted();
    return this.#hosts.size;
  }

  async #sweep(onLinkFilter: OnLinkFilter): Promise<void> {
    const { sweeper, table } = this.#parts;
    const read = (signal: AbortSignal): Promise<readonly Neighbor[]> => {
      // A sweep takes seconds, in which other transports find nodes.
      this.#askKnownNodes(onLinkFilter);
      return table.read(signal);
    };
    const onAnswer = (fresh: readonly Neighbor[], all: readonly Neighbor[]): void => {
      const addresses = new Set(fresh.map(({ address }) => address));
      this.#askAll(onLinkFilter.hosts(all).filter((host) => addresses.has(host)));
    };
    await sweeper.run({ read, onAnswer }, this.#ending.signal);
  }

  /** Runs after the answers over IPv4: a host known there is not asked twice. */
  async #askOverIPv6(onLinkFilter: OnLinkFilter): Promise<void> {
    const { context, table } = this.#parts;
    const { signal } = this.#ending;
    await this.#firstLooks();
    if (context.clock.now() >= this.#ipv6DueMs) {
      this.#ipv6DueMs = context.clock.now() + ipv6EveryMs;
      this.#ipv6 = await table.readIPv6(signal);
    }
    const ipv4 = await table.read(signal);
    const overIPv6 = onLinkFilter.hostsOverIPv6(this.#ipv6, ipv4);
    this.#askAll(overIPv6);
    const hosts = new Set([...onLinkFilter.hosts(ipv4), ...overIPv6]);
    this.#hasNewcomers = [...hosts].some((host) => !this.#hosts.has(host));
    this.#hosts = hosts;
  }

  async #firstLooks(): Promise<void> {
    await Promise.all([this.#scanner.firstLooks(), this.#named.firstLooks()]);
  }

  /** Lists a server once that was found over IPv6 before its machine's IPv4 address was known. */
  async #joinTwins(onLinkFilter: OnLinkFilter): Promise<void> {
    if (!this.#neighborCache.hosts().some(isIPv6)) return;
    const ipv4 = await this.#parts.table.read(this.#ending.signal);
    for (const [host, twin] of onLinkFilter.twins(this.#ipv6, ipv4)) this.#neighborCache.join(host, twin);
  }

  /**
   * Asks nodes of other transports at their announced port: each becomes one node with two sources.
   *
   * Endpoints known only from members that pass them on are hearsay, and skipped. The ports asked of each
   * host are bounded, since any node may name some. Both rules keep forged nodes from turning this host
   * against a victim.
   */
  #askKnownNodes(onLinkFilter: OnLinkFilter): Set<string> {
    const endpoints = new Set<string>();
    for (const { host, port, sources } of this.#parts.context.nodes.listAlive()) {
      if (!onLinkFilter.isOnLink(host) || sources.every(({ relayed }) => relayed)) continue;
      const endpoint = formatEndpoint(host, port);
      endpoints.add(endpoint);
      if (!this.#neighborCache.has(endpoint)) this.#askNamed(host, port);
    }
    return endpoints;
  }

  #askNamed(host: string, port: number): void {
    const endpoint = formatEndpoint(host, port);
    const nowMs = this.#parts.context.clock.now();
    if (!this.#rechecks.mayBeAsked(endpoint, nowMs) || !this.#hearsay.take(host, nowMs)) return;
    if (this.#isDue(endpoint)) this.#ask(this.#named, host, [port], () => this.#hearsay.giveBack(host));
  }

  #askAll(hosts: readonly string[]): void {
    const { ports } = this.#parts.settings;
    for (const host of hosts) if (this.#isDue(host)) this.#ask(this.#scanner, host, ports);
  }

  #isDue(name: string): boolean {
    return this.#rechecks.isDue(name, this.#parts.context.clock.now());
  }

  #ask(by: Scanner, host: string, ports: readonly number[], onFound: () => void = () => {}): void {
    const onServer: Scan["onServer"] = (identification, askedPort) => {
      onFound();
      this.#neighborCache.take(host, askedPort, identification);
    };
    by.search({ host, ports, onServer });
  }

  #poll(): void {
    const { clock } = this.#parts.context;
    if (this.#ending.signal.aborted) return;
    const ageMs = clock.now() - this.#startedMs;
    const isBusy = this.#hasNewcomers || this.#scanner.isCrowded;
    const pollMs = isBusy ? firstPollMs : Math.min(Math.max(ageMs / 5, firstPollMs), lastPollMs);
    this.#cancelPoll = clock.schedule(pollMs, () => {
      this.#pass().catch((error: unknown) => this.#fail(error));
    });
  }

  #onLinkFilter(): OnLinkFilter {
    const { machine, settings } = this.#parts;
    return new OnLinkFilter(listLinks(machine.system()), settings);
  }

  /** Reported once: one host runs more servers than a LAN has hosts. */
  #reportFullness(): void {
    if (this.#reportedFull) return;
    this.#reportedFull = true;
    const { context, settings } = this.#parts;
    const message = `servers are refused: more answer than the ${settings.maxNodes} that are kept`;
    context.report(new DiscoveryError("REGISTRY_FULL", message, { via: settings.via }));
  }
}
