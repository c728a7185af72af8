import { DiscoveryError } from "@lmserv/discovery-core";
import {
  backoffMs,
  type Cancellable,
  type Clock,
  onAbort,
  Reminder,
  sleep,
} from "@lmserv/discovery-core/transport";
import {
  type Held,
  passwordExposed,
  type StoreConnection,
  type StoreContext,
  type Watcher,
} from "@lmserv/discovery-store";
import { failure, isBucketMissing, isNoAnswer, type Whereabouts } from "./error-mapping.ts";
import { type LeaseHost, NatsLease } from "./lease.ts";
import { ServerConnection } from "./server-connection.ts";
import type { Settings } from "./settings.ts";
import { firstRetryMs } from "./timing.ts";
import { View } from "./view.ts";

/** Watch and held values, over one link after another, until no server answers. */
export class NatsConnection implements StoreConnection, LeaseHost {
  readonly lost: Promise<DiscoveryError>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly via: string;
  readonly #settings: Settings;
  readonly #context: StoreContext;
  readonly #whereabouts: Whereabouts;
  readonly #closing = new AbortController();
  readonly #leases = new Set<NatsLease>();
  /**
   * Leases whose latest attempt failed, and the reported faults: each fault once, whichever leases have it.
   */
  readonly #failing = new Set<NatsLease>();
  readonly #told = new Reminder();
  #view: View | null = null;
  #link: ServerConnection | null = null;
  #tellLoss: (error: DiscoveryError) => void = () => {};
  #loss: DiscoveryError | null = null;
  #ended: Promise<void> = Promise.resolve();

  /** @throws {DiscoveryError} as `Store.connect`. */
  static async open(
    settings: Settings,
    context: StoreContext,
    { signal }: Cancellable,
  ): Promise<NatsConnection> {
    const connection = new NatsConnection(settings, context);
    try {
      const link = await ServerConnection.open(settings, context, { signal });
      connection.#warnOfExposure(link);
      connection.#ended = connection.#live(link);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, connection.#whereabouts);
    }
    return connection;
  }

  private constructor(settings: Settings, context: StoreContext) {
    this.#settings = settings;
    this.#context = context;
    this.clock = context.clock;
    this.random = context.random;
    this.via = context.via;
    this.#whereabouts = { place: settings.endpoints.join(", "), via: context.via };
    this.lost = new Promise((resolve) => {
      this.#tellLoss = resolve;
    });
  }

  /** The client uses TLS if the server has it. */
  #warnOfExposure({ isEncrypted }: ServerConnection): void {
    const { endpoints, login } = this.#settings;
    if (isEncrypted || !(login.kind === "password" || login.kind === "token")) return;
    const hosts = endpoints.map((endpoint) => endpoint.replace(/:\d+$/, ""));
    const exposed = passwordExposed({ type: "nats", via: this.via }, hosts, "tls");
    if (exposed) this.#context.report(exposed);
  }

  get link(): ServerConnection | null {
    return this.#link;
  }

  watch(watcher: Watcher): void {
    this.#view = new View(this.#context, watcher, {
      holds: (key) => [...this.#leases].some((lease) => lease.key === key),
      lose: (error) => this.#lose(error),
    });
    if (this.#link) this.#view.follow(this.#link);
  }

  async hold(key: string, value: string, { signal }: Cancellable): Promise<Held> {
    signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw this.#loss ?? this.#closedError();
    const lease = new NatsLease(this, key, value);
    this.#leases.add(lease);
    try {
      await lease.begin({ signal });
    } catch (error) {
      await lease[Symbol.asyncDispose]();
      throw signal.aborted ? signal.reason : failure(error, this.#whereabouts);
    }
    return lease;
  }

  isRefusal(error: unknown): boolean {
    return failure(error, this.#whereabouts).code === "PERMISSION_DENIED";
  }

  onAcknowledged(lease: NatsLease, replacedAnother: boolean): void {
    if (this.#failing.delete(lease) && this.#failing.size === 0) this.#told.clear();
    if (!replacedAnother) return;
    const message = `another process wrote over ${lease.key} in the bucket, which this one announces: it is put back`;
    this.#tell(new DiscoveryError("NAME_CONFLICT", message, { via: this.via }));
  }

  /**
   * A server that takes no value is reported and asked again. One that is long silent, or refuses us, is
   * lost. The link itself reports a broken connection.
   */
  onFailed(lease: NatsLease, error: unknown, forMs: number): void {
    this.#failing.add(lease);
    const found = failure(error, this.#whereabouts);
    if (found.code === "TRANSPORT_UNAVAILABLE") {
      return this.#tell(failure(error, this.#whereabouts, "SEND_FAILED"));
    }
    const isLasting = isNoAnswer(error) && forMs >= (this.#link?.timing.noticeMs ?? 0);
    if (found.code === "PERMISSION_DENIED" || isLasting) this.#lose(found);
  }

  onReleased(lease: NatsLease): void {
    this.#leases.delete(lease);
    this.#failing.delete(lease);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#leases].map((lease) => lease[Symbol.asyncDispose]()));
    this.#closing.abort();
    await this.#ended;
  }

  /** Goes from one link to the next until the connection is lost or disposed. */
  async #live(first: ServerConnection): Promise<void> {
    const { signal } = this.#closing;
    const closed = new Promise<void>((resolve) => {
      onAbort(signal, resolve);
    });
    for (let link: ServerConnection | null = first; link; link = await this.#next(link)) {
      this.#link = link;
      for (const lease of this.#leases) lease.onLink(link);
      this.#view?.follow(link);
      const reason = await Promise.race([link.ended, closed]);
      this.#link = null;
      this.#view?.leave();
      for (const lease of this.#leases) lease.onUnlinked();
      const closing = link[Symbol.asyncDispose]();
      const error = failure(reason, this.#whereabouts, "MEDIUM_UNREACHABLE");
      if (error.code === "PERMISSION_DENIED" || isBucketMissing(reason)) this.#lose(error);
      if (signal.aborted) return closing;
      this.#context.log("info", "the link to the server ended", { error });
    }
  }

  /** Another link, if a server gives one before the loss must be reported; null otherwise. */
  async #next({ timing }: ServerConnection): Promise<ServerConnection | null> {
    const { signal } = this.#closing;
    const endMs = (this.#view?.heardMs ?? this.clock.now()) + timing.noticeMs;
    const pauses = { firstMs: firstRetryMs, maxMs: timing.retryMs };
    for (let failures = 0; ; failures += 1) {
      try {
        await sleep(this.clock, backoffMs(failures + 1, pauses, this.random), signal);
        return await ServerConnection.open(this.#settings, this.#context, { signal });
      } catch (error) {
        if (signal.aborted) return null;
        const found = failure(error, this.#whereabouts, "MEDIUM_UNREACHABLE");
        if (this.#mayPass(found) && this.clock.now() < endMs) continue;
        this.#lose(found);
        return null;
      }
    }
  }

  /**
   * True if only time tells what a failure means.
   *
   * A silent server may be electing a leader, or will never answer. If one of several is gone, the others are
   * there, or busy with its end.
   */
  #mayPass({ code, cause }: DiscoveryError): boolean {
    return isNoAnswer(cause) || (code === "MEDIUM_UNREACHABLE" && this.#settings.endpoints.length > 1);
  }

  #lose(error: DiscoveryError): void {
    if (this.#closing.signal.aborted) return;
    this.#loss = error;
    this.#tellLoss(error);
    this.#closing.abort();
    this.#view?.leave();
    for (const lease of this.#leases) lease.giveUp(error);
  }

  #tell(error: DiscoveryError): void {
    const text = `${error.code} ${error.message}`;
    if (this.#told.isDue(text, this.clock.now())) this.#context.report(error);
  }

  #closedError(): DiscoveryError {
    return new DiscoveryError("TRANSPORT_FAILED", "the connection is closed", { via: this.via });
  }
}
