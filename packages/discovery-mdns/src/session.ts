import { DiscoveryError } from "@lmserv/discovery-core";
import {
  type BrowseQuery,
  type Cancellable,
  type Observation,
  observationStream,
  type Registration,
  type ResolvedAnnouncement,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import type { Name } from "./dns/name.ts";
import { Endpoints } from "./endpoints.ts";
import type { Machine } from "./link/link.ts";
import { Memory } from "./memory.ts";
import { Browser } from "./querier/browser.ts";
import { absenceMs } from "./querier/schedule.ts";
import { warmUp } from "./querier/warm-up.ts";
import { Announcer } from "./responder/announcer.ts";
import { Said } from "./responder/said.ts";
import { describe, type Service, serviceOf, serviceType, subtypeName } from "./service.ts";

export interface SessionOptions {
  readonly name: string;
  readonly interfaces: readonly string[] | undefined;
  readonly subtype: string | undefined;
  readonly maxInstances: number;
}

/** Multicast DNS on every usable interface of this machine. */
export class MdnsSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #via: string;
  readonly #memory: Memory;
  readonly #hostname: () => string;
  readonly #endpoints: Endpoints;
  readonly #browser: Browser;
  readonly #said: Said;
  readonly #announcers = new Set<Announcer>();
  readonly #closing = new AbortController();
  /** Aborts announcements under way, with the reason. */
  readonly #ending = new AbortController();
  #failure: DiscoveryError | null = null;

  constructor(context: TransportContext, options: SessionOptions, machine: Machine, memory: Memory) {
    const { clock, random, report } = context;
    const { name: via, interfaces: wanted, subtype, maxInstances } = options;
    this.#context = context;
    this.#via = via;
    this.#memory = memory;
    this.#hostname = machine.hostname;
    this.#said = new Said(clock);
    this.#browser = new Browser({
      via,
      clock,
      random,
      report,
      listName: subtype === undefined ? serviceType : subtypeName(subtype),
      maxInstances,
      isChosen: wanted !== undefined,
      isOwn: (instance) => this.#isOwn(instance),
    });
    this.#endpoints = new Endpoints({
      via,
      context,
      machine,
      wanted,
      memory,
      browser: this.#browser,
      announcers: this.#announcers,
      said: this.#said,
      failed: (cause) => this.#fail(cause),
    });
  }

  /** Infinite while loopback stands in: its silence says nothing about nodes of the lost network. */
  get absenceMs(): number {
    return this.#endpoints.standsIn ? Number.POSITIVE_INFINITY : absenceMs;
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when no interface can be used, with the cause. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    warmUp();
    try {
      await this.#endpoints.open();
      signal.throwIfAborted();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  browse({ ttlMs }: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        if (!this.#failure) return this.#browser.subscribe(ttlMs, sink);
        sink.fail(this.#failure);
        return () => {};
      },
    });
  }

  async announce(node: ResolvedAnnouncement, { signal }: Cancellable): Promise<Registration> {
    signal.throwIfAborted();
    const asked = this.#newServiceOf(node);
    this.#tellOfCuts(node, asked);
    const { clock, random, report } = this.#context;
    const announcer = new Announcer(asked, {
      clock,
      random,
      report,
      via: this.#via,
      said: this.#said,
      responders: () => this.#endpoints.responders(),
    });
    this.#announcers.add(announcer);
    try {
      this.#ending.signal.throwIfAborted();
      await announcer.start(signal, this.#ending.signal);
    } catch (error) {
      this.#announcers.delete(announcer);
      throw error;
    }
    return {
      update: async (changed) => announcer.update(this.#serviceOf(changed, "")),
      [Symbol.asyncDispose]: async () => {
        await announcer.stop();
        this.#announcers.delete(announcer);
      },
    };
  }

  async reconfirm(key: string, { signal }: Cancellable): Promise<void> {
    signal.throwIfAborted();
    this.#browser.reconfirm(key);
  }

  /** Says goodbye, unless the session failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#ending.abort();
    await Promise.all([...this.#announcers].map((announcer) => announcer.stop()));
    await this.#endpoints.close();
  }

  /** Ends the session, which can neither send nor receive; its supervisor opens another. */
  #fail(cause: DiscoveryError): void {
    const failure = new DiscoveryError("TRANSPORT_FAILED", cause.message, { via: this.#via, cause });
    this.#failure = failure;
    this.#ending.abort(failure);
    // The endpoints are closed, so that none says goodbye.
    for (const announcer of this.#announcers) void announcer.stop();
    void this.#endpoints.close();
    if (!this.#browser.fail(failure)) this.#context.report(failure);
  }

  /** A node that is announced twice at once has two names. */
  #newServiceOf(node: ResolvedAnnouncement): Service {
    const { random } = this.#context;
    const asked = this.#serviceOf(node, this.#memory.entropyOf(node.id, random));
    if (asked.chosen || !this.#isOwn(asked.instance)) return asked;
    return this.#serviceOf(node, new Memory().entropyOf(node.id, random));
  }

  #isOwn(instance: Name): boolean {
    return [...this.#announcers].some((announcer) => announcer.speaksFor(instance));
  }

  #serviceOf(node: ResolvedAnnouncement, entropy: string): Service {
    return serviceOf(node, this.#hostname(), entropy);
  }

  /** A long list of models is announced in part, and the cut is reported. */
  #tellOfCuts({ models = [] }: ResolvedAnnouncement, { txt }: Service): void {
    const announced = describe(txt).models.length;
    if (announced === models.length) return;
    this.#context.log("warn", `${announced} of ${models.length} models fit the announcement over mDNS`);
  }
}
