import { DiscoveryError } from "@lmserv/discovery-core";
import { type Cancellable, onAbort, orAborted } from "@lmserv/discovery-core/transport";
import type { StoreContext } from "@lmserv/discovery-store";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  RequestError,
} from "@nats-io/transport-node";
import { type Bucket, isAtLeast, keyPrefix, openBucket } from "./bucket.ts";
import { isBucketMissing, isOtherSequence, isUnheard, NoAnswerError } from "./error-mapping.ts";
import type { HedgedRetryOptions } from "./hedged-retry.ts";
import type { Login, Settings } from "./settings.ts";
import { type Timing, timingOf } from "./timing.ts";
import { type WatchSink, watchBucket } from "./watch.ts";

/** First release with all that watches need. */
const oldest = [2, 9, 0] as const;
const pingsUnanswered = 2;

export interface Acknowledgement {
  readonly sequence: number;
  /** True if another value than the expected one was there. */
  readonly replacedAnother: boolean;
}

export interface ServerConnectionOptions extends Cancellable {
  /** True to make a missing bucket. @default true */
  readonly mayMakeBucket?: boolean;
}

interface LinkParts {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly bucket: Bucket;
  readonly inboxPrefix: string;
  readonly retry: HedgedRetryOptions;
}

/**
 * Connection to one server, with its bucket.
 *
 * Nothing in it is repaired: any fault ends it. Its successor starts from the beginning, resolves names and
 * finds the bucket anew.
 */
export class ServerConnection implements AsyncDisposable {
  readonly bucket: Bucket;
  readonly timing: Timing;
  readonly isEncrypted: boolean;
  /** Resolves with the reason when the connection ends. */
  readonly ended: Promise<unknown>;
  readonly #connection: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #inboxPrefix: string;
  readonly #retry: HedgedRetryOptions;
  #isLooking = false;
  #end: (reason: unknown) => void = () => {};

  /** @throws the client's errors; `signal.reason` itself when aborted. */
  static async open(
    settings: Settings,
    context: StoreContext,
    options: ServerConnectionOptions,
  ): Promise<ServerConnection> {
    const { signal, mayMakeBucket = true } = options;
    const { requestMs, againMs, retryForMs } = timingOf(context.lifetimeMs);
    const retry = { clock: context.clock, everyMs: againMs, forMs: retryForMs };
    const connection = await dial(settings, context, signal);
    const ignore = onAbort(signal, () => connection.close());
    try {
      signal.throwIfAborted();
      const place = settings.endpoints.join(", ");
      const version = connection.info?.version ?? "0.0.0";
      assertVersion(version, place, context.via);
      const js = jetstream(connection, { checkAPI: false, timeout: requestMs });
      const { cluster, lifetimeMs, via } = context;
      const { replicas } = settings;
      const plan = { cluster, lifetimeMs, replicas, place, via, mayMake: mayMakeBucket };
      const bucket = await openBucket(js, plan, version, retry);
      return new ServerConnection({ connection, js, bucket, inboxPrefix: settings.inboxPrefix, retry });
    } catch (error) {
      const isCut = connection.isClosed();
      await connection.close();
      signal.throwIfAborted();
      // A server that stalls may close the connection instead of an answer.
      throw isCut && error instanceof RequestError ? new NoAnswerError(error) : NoAnswerError.of(error);
    } finally {
      ignore();
    }
  }

  private constructor({ connection, js, bucket, inboxPrefix, retry }: LinkParts) {
    this.#connection = connection;
    this.#js = js;
    this.#inboxPrefix = inboxPrefix;
    this.#retry = retry;
    this.bucket = bucket;
    const { tls_required: isDemanded = false, tls_available: isOffered = false } = connection.info ?? {};
    this.isEncrypted = isDemanded || isOffered;
    this.timing = timingOf(bucket.lifetimeMs);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
      connection.closed().then((error) => resolve(error ?? new Error("the connection ended")), resolve);
    });
  }

  /**
   * Resolves with the value's number when the server has stored it on all its replicas.
   *
   * @param previous - Number of the value to replace, or null; another one is replaced all the same.
   */
  put(key: string, value: string, previous: number | null): Promise<Acknowledgement> {
    const { kv } = this.bucket;
    return this.#keep(async () => {
      if (previous !== null) {
        try {
          const sequence = await kv.put(keyPrefix + key, value, { previousSeq: previous });
          return { sequence, replacedAnother: false };
        } catch (error) {
          if (!isOtherSequence(error)) throw error;
        }
      }
      return { sequence: await kv.put(keyPrefix + key, value), replacedAnother: previous !== null };
    });
  }

  remove(key: string): Promise<void> {
    return this.#keep(() => this.bucket.kv.delete(keyPrefix + key));
  }

  watch(sink: WatchSink): Promise<() => void> {
    const { heartbeatMs } = this.timing;
    const [bucket, inboxPrefix, retry] = [this.bucket, this.#inboxPrefix, this.#retry];
    const options = { js: this.#js, bucket, inboxPrefix, heartbeatMs, retry };
    return this.#ask(() => watchBucket(options, sink));
  }

  /** Keys of all values, deleted ones included. */
  async look(): Promise<ReadonlySet<string>> {
    const manager = await this.#js.jetstreamManager(false);
    const prefix = `$KV.${this.bucket.name}.${keyPrefix}`;
    const info = await this.#ask(() =>
      manager.streams.info(this.bucket.stream, { subjects_filter: `${prefix}>` }),
    );
    const subjects = Object.keys(info.state.subjects ?? {});
    return new Set(subjects.map((subject) => subject.slice(prefix.length)));
  }

  fail(reason: unknown): void {
    this.#end(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new Error("the connection was closed"));
    await this.#connection.close();
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (isBucketMissing(error) || isUnheard(error)) this.fail(error);
      throw NoAnswerError.of(error);
    }
  }

  /** Changes a value; only the bucket's leader hears of it. */
  async #keep<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } catch (error) {
      if (!isUnheard(error)) throw NoAnswerError.of(error);
      this.#lookForBucket();
      throw new NoAnswerError(error);
    }
  }

  /** Ends the link if the bucket is missing. */
  async #lookForBucket(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const manager = await this.#js.jetstreamManager(false);
      await this.#ask(() => manager.streams.info(this.bucket.stream));
    } catch {
      // Silence means that there is no leader; any other failure has ended the link.
    } finally {
      this.#isLooking = false;
    }
  }
}

/** The client cannot abort an attempt; if it succeeds too late, the connection is closed. */
async function dial(
  settings: Settings,
  { via, cluster, lifetimeMs }: StoreContext,
  signal: AbortSignal,
): Promise<NatsConnection> {
  const { connectMs, pingMs } = timingOf(lifetimeMs);
  const { tls } = settings;
  const options = {
    servers: [...settings.endpoints],
    name: `lmserv ${via} ${cluster}`,
    // A reconnecting client would keep outdated addresses, logins and subscriptions.
    reconnect: false,
    ignoreClusterUpdates: true,
    timeout: connectMs,
    pingInterval: pingMs,
    maxPingOut: pingsUnanswered,
    noAsyncTraces: true,
    inboxPrefix: settings.inboxPrefix,
    ...loginOptions(settings.login),
    ...(tls && { tls: { ...tls } }),
  };
  signal.throwIfAborted();
  const connecting = connect(options);
  // A late connection is closed.
  connecting.then(
    (connection) => (signal.aborted ? connection.close() : undefined),
    () => {},
  );
  return orAborted(connecting, signal);
}

function loginOptions(login: Login): Pick<ConnectionOptions, "user" | "pass" | "token" | "authenticator"> {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const by = (authenticator: Authenticator) => ({ authenticator });
  switch (login.kind) {
    case "nobody":
      return {};
    case "credentials":
      return by(credsAuthenticator(bytes(login.text)));
    case "nkey":
      return by(nkeyAuthenticator(bytes(login.seed)));
    case "password":
      return { user: login.user, pass: login.password };
    case "token":
      return { token: login.token };
  }
}

function assertVersion(version: string, place: string, via: string): void {
  if (isAtLeast(version, oldest)) return;
  const message = `NATS at ${place} is release ${version}, which is too old: ${oldest.join(".")} or later is needed`;
  throw new DiscoveryError("TRANSPORT_UNAVAILABLE", message, { via });
}
