import {
  type Cancellable,
  type Clock,
  DiscoveryError,
  onAbort,
  Reminder,
  sleep,
} from "@lmserv/discovery-core";
import {
  type EngineConnection,
  type EngineContext,
  type EngineEvent,
  engineStream,
  type Held,
  passwordExposed,
} from "@lmserv/discovery-fleet";
import { failure, isSilence, type Whereabouts } from "./failure.ts";
import { Holding, type HoldingHost } from "./holding.ts";
import { Link } from "./link.ts";
import type { Settings } from "./settings.ts";
import { backoffMs, timingOf } from "./timing.ts";
import { Watcher } from "./watcher.ts";

/** Watches and held values, over one link after another. */
export class NatsConnection implements EngineConnection, HoldingHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly via: string;
  readonly #settings: Settings;
  readonly #context: EngineContext;
  readonly #whereabouts: Whereabouts;
  readonly #retryMs: number;
  readonly #noticeMs: number;
  readonly #closing = new AbortController();
  readonly #watchers = new Set<Watcher>();
  readonly #holdings = new Set<Holding>();
  /** Those whose last attempt failed, and what was told of it: each fault for itself, whichever of them has it. */
  readonly #failing = new Set<Holding>();
  readonly #told = new Reminder();
  #link: Link | null = null;
  #lastFailure: DiscoveryError | null = null;
  #failures = 0;
  /** Since when there is no link. */
  #lostMs = 0;
  #ended: Promise<void> = Promise.resolve();

  /** @throws {DiscoveryError} as `Engine.connect`. */
  static async open(
    settings: Settings,
    context: EngineContext,
    { signal }: Cancellable,
  ): Promise<NatsConnection> {
    const connection = new NatsConnection(settings, context);
    try {
      const link = await Link.open(settings, context, { signal });
      connection.#warnOfExposure(link);
      connection.#ended = connection.#live(link);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, connection.#whereabouts);
    }
    return connection;
  }

  private constructor(settings: Settings, context: EngineContext) {
    this.#settings = settings;
    this.#context = context;
    this.clock = context.clock;
    this.random = context.random;
    this.via = context.via;
    this.#whereabouts = { place: settings.endpoints.join(", "), via: context.via };
    const { retryMs, noticeMs } = timingOf(context.lifetimeMs);
    this.#retryMs = retryMs;
    this.#noticeMs = noticeMs;
  }

  /** The client takes TLS wherever the server has it. */
  #warnOfExposure({ isEncrypted }: Link): void {
    const { endpoints, login } = this.#settings;
    if (isEncrypted || !(login.kind === "password" || login.kind === "token")) return;
    const hosts = endpoints.map((endpoint) => endpoint.replace(/:\d+$/, ""));
    const exposed = passwordExposed({ type: "nats", via: this.via }, hosts, "tls");
    if (exposed) this.#context.report(exposed);
  }

  get link(): Link | null {
    return this.#link;
  }

  watch({ signal }: Cancellable): AsyncIterable<EngineEvent> {
    return engineStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        const watcher = new Watcher(this.#context, sink, (key) => this.#isHeld(key));
        this.#watchers.add(watcher);
        if (this.#link) watcher.onLink(this.#link);
        else if (this.#lastFailure) this.#tellOfLoss(watcher, this.#lastFailure);
        return () => {
          this.#watchers.delete(watcher);
          watcher.stop();
        };
      },
    });
  }

  async hold(key: string, value: string, { signal }: Cancellable): Promise<Held> {
    signal.throwIfAborted();
    const holding = new Holding(this, key);
    if (this.#closing.signal.aborted) throw this.#closedError();
    this.#holdings.add(holding);
    try {
      await holding.put(value, { signal });
    } catch (error) {
      await holding[Symbol.asyncDispose]();
      throw signal.aborted ? signal.reason : failure(error, this.#whereabouts);
    }
    return holding;
  }

  isRefusal(error: unknown): boolean {
    return failure(error, this.#whereabouts).code === "PERMISSION_DENIED";
  }

  onAcknowledged(holding: Holding, replacedAnother: boolean): void {
    if (this.#failing.delete(holding) && this.#failing.size === 0) this.#told.clear();
    if (!replacedAnother) return;
    const message = `another process wrote over ${holding.key} in the bucket, which this one announces: it is put back`;
    this.#tell(new DiscoveryError("NAME_CONFLICT", message, { via: this.via }));
  }

  onFailed(holding: Holding, error: unknown, forMs: number): void {
    this.#failing.add(holding);
    const found = failure(error, this.#whereabouts);
    if (forMs < this.#noticeMs && this.#mayPass(found)) return;
    this.#tell(
      found.code === "TRANSPORT_UNAVAILABLE" ? failure(error, this.#whereabouts, "SEND_FAILED") : found,
    );
  }

  onReleased(holding: Holding): void {
    this.#holdings.delete(holding);
    this.#failing.delete(holding);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#holdings].map((holding) => holding[Symbol.asyncDispose]()));
    this.#closing.abort();
    await this.#ended;
  }

  /** Goes from one link to the next until the connection is disposed. */
  async #live(first: Link): Promise<void> {
    const { signal } = this.#closing;
    const closed = new Promise<void>((resolve) => {
      onAbort(signal, resolve);
    });
    for (let link: Link | null = first; link; link = await this.#next()) {
      this.#adopt(link);
      const bornMs = this.clock.now();
      const reason = await Promise.race([link.ended, closed]);
      this.#link = null;
      const closing = link[Symbol.asyncDispose]();
      if (signal.aborted) return closing;
      if (this.clock.now() - bornMs > 2 * this.#retryMs) this.#failures = 0;
      this.#mourn(reason, link.timing.noticeMs);
    }
  }

  #adopt(link: Link): void {
    this.#link = link;
    this.#lastFailure = null;
    for (const holding of this.#holdings) holding.onLink(link);
    for (const watcher of this.#watchers) watcher.onLink(link);
  }

  #mourn(reason: unknown, noticeMs: number): void {
    this.#lastFailure = failure(reason, this.#whereabouts, "MEDIUM_UNREACHABLE");
    this.#lostMs = this.clock.now();
    this.#context.log("info", "the link to the server ended", { error: this.#lastFailure });
    for (const holding of this.#holdings) holding.onLoss();
    for (const watcher of this.#watchers) watcher.onLoss(this.#lastFailure, noticeMs);
  }

  /** The next link, as soon as there is one; null when the connection is disposed before. */
  async #next(): Promise<Link | null> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await sleep(this.clock, backoffMs(this.#failures, this.#retryMs, this.random), signal);
        this.#failures += 1;
        return await Link.open(this.#settings, this.#context, { signal });
      } catch (error) {
        if (!signal.aborted) this.#onFailure(failure(error, this.#whereabouts, "MEDIUM_UNREACHABLE"));
      }
    }
    return null;
  }

  /** Whoever watches is told, and tells; without a watch, those who announce have to know. */
  #onFailure(error: DiscoveryError): void {
    this.#lastFailure = error;
    for (const watcher of this.#watchers) watcher.onFailure(error, !this.#mayPass(error));
    if (this.#watchers.size > 0) return;
    const forMs = this.clock.now() - this.#lostMs;
    for (const holding of this.#holdings) this.onFailed(holding, error, forMs);
  }

  #tellOfLoss(watcher: Watcher, error: DiscoveryError): void {
    watcher.onLoss(error, this.#noticeMs);
    watcher.onFailure(error, !this.#mayPass(error));
  }

  /**
   * Whether only time tells what a failure is: one that let us in chooses a leader, or will never answer; where one of
   * several is gone, the others are there, or busy with that.
   */
  #mayPass({ code, cause }: DiscoveryError): boolean {
    return isSilence(cause) || (code === "MEDIUM_UNREACHABLE" && this.#settings.endpoints.length > 1);
  }

  #isHeld(key: string): boolean {
    return [...this.#holdings].some((holding) => holding.key === key);
  }

  #tell(error: DiscoveryError): void {
    const text = `${error.code} ${error.message}`;
    if (this.#told.isDue(text, this.clock.now())) this.#context.report(error);
  }

  #closedError(): DiscoveryError {
    return new DiscoveryError("TRANSPORT_FAILED", "the connection is closed", { via: this.via });
  }
}
