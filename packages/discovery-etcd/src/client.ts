import { type Clock, sleep } from "@lmserv/discovery-core/transport";
import { EtcdError, isErrorKind, isObject } from "./etcd-error.ts";
import { Gateway, type TlsOptions } from "./gateway.ts";
import type { Timing } from "./timing.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface ClientOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly endpoints: readonly URL[];
  readonly credentials: Credentials | null;
  readonly tls: TlsOptions;
  readonly timing: Pick<Timing, "timeoutMs" | "electionMs">;
}

/** Pause between two questions to servers that elect a leader, in ms. */
const electionPauseMs = 250;

/** Null text: no token is needed, as far as we know. */
interface Token {
  readonly text: string | null;
}

const none: Token = { text: null };

/** Result of etcd, whose numbers are texts. */
export type Result = Readonly<Record<string, unknown>>;

/** Asks one server of a cluster for as long as it answers, then the next. */
export class EtcdClient {
  readonly #options: ClientOptions;
  readonly #gateway: Gateway;
  #current: number;
  #token: Token | null = null;
  #authenticating: Promise<Token> | null = null;
  readonly #closing = new AbortController();

  constructor(options: ClientOptions) {
    const { clock, timing, tls, random, endpoints } = options;
    this.#options = options;
    this.#gateway = new Gateway(clock, timing.timeoutMs, tls);
    // Random, so that clients spread over the servers.
    this.#current = Math.floor(random() * endpoints.length);
  }

  /** Present server. */
  get server(): URL {
    const { endpoints } = this.#options;
    const server = endpoints[this.#current % endpoints.length];
    if (!server) throw new TypeError("there is no server");
    return server;
  }

  /** Turns to the next server, unless another call did. */
  leave(server: URL): void {
    if (server === this.server) this.#current += 1;
  }

  /**
   * Asks the servers in turn until one answers, and again while they elect a leader.
   *
   * @throws {EtcdFault} of the last server; `signal.reason` itself when aborted.
   */
  async call(path: string, body: object, signal: AbortSignal): Promise<Result> {
    return this.#inTurn((server) => this.callAt(server, path, body, signal), signal);
  }

  async callAt(server: URL, path: string, body: object, signal: AbortSignal): Promise<Result> {
    const ask = async ({ text }: Token): Promise<Result> =>
      read(await this.#gateway.ask(server, path, body, { signal, token: text }));
    const token = await this.#tokenAt(server, signal);
    try {
      return await ask(token);
    } catch (error) {
      if (!isErrorKind(error, "token")) throw error;
      this.#assertKnown();
      this.#forget(token);
      return ask(await this.#tokenAt(server, signal));
    }
  }

  /** Yields the messages of one server, until a fault. */
  async *streamAt(
    server: URL,
    path: string,
    body: object,
    signal: AbortSignal,
  ): AsyncGenerator<Result, void> {
    const token = await this.#tokenAt(server, signal);
    try {
      for await (const answer of this.#gateway.stream(server, path, body, { signal, token: token.text })) {
        const { result } = read(answer);
        if (isObject(result)) yield result;
      }
    } catch (error) {
      if (isErrorKind(error, "token")) this.#forget(token);
      throw error;
    }
  }

  /** Version of the first server that answers. */
  async version(signal: AbortSignal): Promise<string> {
    const answer = await this.#inTurn(
      async (server) => read(await this.#gateway.ask(server, "/version", null, { signal, token: null })),
      signal,
    );
    if (typeof answer.etcdserver === "string") return answer.etcdserver;
    throw new EtcdError("rejected", "the server there is no etcd");
  }

  close(): void {
    this.#closing.abort();
    this.#gateway.close();
  }

  async #inTurn<T>(ask: (server: URL) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { endpoints, clock, timing } = this.#options;
    const endMs = clock.now() + timing.electionMs;
    for (let left = endpoints.length - 1; ; left -= 1) {
      const { server } = this;
      try {
        return await ask(server);
      } catch (error) {
        const isLeaderless = isErrorKind(error, "leaderless");
        if (!isLeaderless && !isErrorKind(error, "unreachable")) throw error;
        this.leave(server);
        if (isLeaderless && clock.now() < endMs) {
          left = endpoints.length;
          await sleep(clock, electionPauseMs, signal);
        } else if (left <= 0) throw error;
      }
    }
  }

  /** Shared by concurrent calls; null if no token is needed. */
  async #tokenAt(server: URL, signal: AbortSignal): Promise<Token> {
    const { credentials } = this.#options;
    if (!credentials) return none;
    if (this.#token) return this.#token;
    this.#authenticating ??= this.#authenticate(server, credentials).finally(() => {
      this.#authenticating = null;
    });
    const token = await this.#authenticating;
    signal.throwIfAborted();
    this.#token = token;
    return token;
  }

  async #authenticate(server: URL, { user: name, password }: Credentials): Promise<Token> {
    const options = { signal: this.#closing.signal, token: null };
    try {
      const answer = await this.#gateway.ask(server, "/v3/auth/authenticate", { name, password }, options);
      const { token } = read(answer);
      return typeof token === "string" ? { text: token } : none;
    } catch (error) {
      // A server without authentication is used without a token.
      if (error instanceof Error && /authentication is not enabled/.test(error.message)) return none;
      throw error;
    }
  }

  /** Keeps a token that another call has replaced already. */
  #forget(token: Token): void {
    if (this.#token === token) this.#token = null;
  }

  #assertKnown(): void {
    if (this.#options.credentials) return;
    throw new EtcdError("refused", "it wants a user and a password");
  }
}

function read(answer: unknown): Result {
  if (isObject(answer)) return answer;
  throw new EtcdError("rejected", "the server there is no etcd");
}
