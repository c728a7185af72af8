import { onAbort } from "./abort-listener.ts";
import { sleep } from "./clock.ts";
import { DiscoveryError, isDiscoveryError, isMistake, toDiscoveryError } from "./errors.ts";
import { forward, type ObservationSink, observationStream } from "./observation-stream.ts";
import {
  assertOptions,
  assertShape,
  functionShape,
  type OptionShapes,
  transportShape,
} from "./options-check.ts";
import { Reminder } from "./reminder.ts";
import type {
  Announced,
  BrowseQuery,
  Cancellable,
  Standing,
  Transport,
  TransportContext,
  TransportSession,
} from "./transport.ts";

export interface SuperviseOptions {
  /** Whether a first opening that failed so is tried again, instead of failing `open`. @default never */
  readonly outlasts?: (error: DiscoveryError) => boolean;
}

const shapes: OptionShapes<SuperviseOptions> = { outlasts: functionShape };

/** Full jitter, doubling from here; the cap keeps a returning network listed within seconds. */
const firstDelayMs = 250;
const maxDelayMs = 5_000;
/** A session that lived this long starts the back-off anew. */
const stableMs = 60_000;

/**
 * Re-opens a transport that died, with jittered back-off, and replays its browses and announcements.
 *
 * A session is dead when a browse throws or when it reports `TRANSPORT_FAILED`. Each death, and each
 * reason for which none can be opened, is reported, the latter again as long as it lasts (`Reminder`); when it is tried again, and when that succeeded, is logged.
 *
 * @throws {TypeError} for what is no transport, and for options that cannot be.
 */
export function supervise(transport: Transport, options: SuperviseOptions = {}): Transport {
  assertShape("supervise", "transport", transport, transportShape);
  assertOptions("supervise", options, shapes);
  const { outlasts = () => false } = options;
  return {
    name: transport.name,
    async open(context, { signal }) {
      const supervisor = new Supervisor(transport, context);
      try {
        await supervisor.openOnce(signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (isMistake(error)) throw error;
        const failure = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", transport.name);
        if (!outlasts(failure)) throw failure;
        supervisor.recover(failure);
      }
      return supervisor.session();
    },
    ...(transport.diagnose && { diagnose: transport.diagnose.bind(transport) }),
  };
}

interface Browse {
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  readonly stopping: AbortController;
}

/** An announcement that is repeated on each new session. */
interface Replayed {
  node: Announced;
  /** Its counterpart on the present session, once it was announced there. */
  standing: Standing | null;
}

class Supervisor {
  readonly #transport: Transport;
  readonly #context: TransportContext;
  readonly #closing = new AbortController();
  readonly #browses = new Set<Browse>();
  readonly #replayed = new Set<Replayed>();
  readonly #arrivals = new Set<() => void>();
  #current: TransportSession | null = null;
  #openedMs = 0;
  #failures = 0;
  /** The same reason, repeated at every attempt, is reported less and less often. */
  readonly #reminder = new Reminder();
  #recovering: Promise<void> = Promise.resolve();

  constructor(transport: Transport, context: TransportContext) {
    this.#transport = transport;
    this.#context = context;
  }

  /** Opens a session and takes it into use; its death is noticed also when nobody browses. */
  async openOnce(signal: AbortSignal): Promise<void> {
    const life: { session: TransportSession | null; death: DiscoveryError | null } = {
      session: null,
      death: null,
    };
    const report = (error: DiscoveryError): void => {
      if (error.code !== "TRANSPORT_FAILED") this.#context.report(error);
      else if (life.session) this.#bury(life.session, error);
      else life.death = error;
    };
    const session = await this.#transport.open({ ...this.#context, report }, { signal });
    if (signal.aborted || life.death) {
      await quietly(session[Symbol.asyncDispose]());
      throw signal.aborted ? signal.reason : life.death;
    }
    life.session = session;
    this.#adopt(session);
  }

  #adopt(session: TransportSession): void {
    if (this.#failures > 0) this.#log("is open again");
    this.#current = session;
    this.#reminder.clear();
    this.#openedMs = this.#context.clock.now();
    for (const browse of this.#browses) this.#run(browse, session);
    for (const replayed of this.#replayed) this.#replay(replayed, session);
    if (session === this.#current) for (const arrive of [...this.#arrivals]) arrive();
  }

  /** Reports why there is no session and opens one as soon as that succeeds. */
  recover(error: DiscoveryError): void {
    this.#reportAnew(error);
    this.#recovering = this.#reopen().catch(() => {});
  }

  session(): TransportSession {
    const inner = this.#current;
    const attributes = (): Readonly<Record<string, string>> => this.#current?.attributes ?? {};
    return {
      browse: (query, { signal }) =>
        observationStream({
          signal,
          closed: this.#closing.signal,
          start: (sink) => this.#browse({ query, sink, stopping: new AbortController() }),
        }),
      ...((!inner || inner.announce) && { announce: this.#announce.bind(this) }),
      ...((!inner || inner.reconfirm) && {
        reconfirm: async (key: string, options: Cancellable) => this.#current?.reconfirm?.(key, options),
      }),
      get attributes() {
        return attributes();
      },
      [Symbol.asyncDispose]: () => this.#close(),
    };
  }

  #browse(browse: Browse): () => void {
    this.#browses.add(browse);
    if (this.#current) this.#run(browse, this.#current);
    return () => {
      this.#browses.delete(browse);
      browse.stopping.abort();
    };
  }

  async #run({ query, sink, stopping }: Browse, session: TransportSession): Promise<void> {
    try {
      await forward(session.browse(query, stopping), sink.push);
    } catch (error) {
      if (stopping.signal.aborted) return;
      this.#bury(session, toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name));
    }
  }

  async #announce(node: Announced, { signal }: Cancellable): Promise<Standing> {
    const replayed: Replayed = { node, standing: await this.#announceOnNext(node, signal) };
    this.#replayed.add(replayed);
    return {
      update: async (changed, options) => {
        await replayed.standing?.update(changed, options);
        replayed.node = changed;
      },
      [Symbol.asyncDispose]: async () => {
        if (this.#replayed.delete(replayed)) await replayed.standing?.[Symbol.asyncDispose]();
      },
    };
  }

  /** Announces on the present session, or on the next one if that dies over it. */
  async #announceOnNext(node: Announced, signal: AbortSignal): Promise<Standing> {
    for (;;) {
      const session = await this.#arrival(signal);
      const announce = announceOf(session, this.#transport.name);
      try {
        const standing = await announce(node, { signal });
        if (session === this.#current) return standing;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (isMistake(error)) throw error;
        if (session !== this.#current) continue;
        throw toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name);
      }
    }
  }

  async #replay(replayed: Replayed, session: TransportSession): Promise<void> {
    replayed.standing = null;
    try {
      const standing = await session.announce?.(replayed.node, this.#closing);
      if (this.#replayed.has(replayed) && session === this.#current) replayed.standing = standing ?? null;
      else await standing?.[Symbol.asyncDispose]();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#context.report(toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name));
    }
  }

  /** The present session, or the next one. */
  #arrival(signal: AbortSignal): Promise<TransportSession> {
    if (this.#current) return Promise.resolve(this.#current);
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#arrivals.delete(settle);
        ignore();
        if (this.#current) resolve(this.#current);
        else reject(ended.reason);
      };
      if (ended.aborted) return reject(ended.reason);
      this.#arrivals.add(settle);
      const ignore = onAbort(ended, settle);
    });
  }

  #bury(session: TransportSession, error: DiscoveryError): void {
    if (session !== this.#current) return;
    this.#current = null;
    if (this.#context.clock.now() - this.#openedMs >= stableMs) this.#failures = 0;
    quietly(session[Symbol.asyncDispose]());
    this.recover(error);
  }

  async #reopen(): Promise<void> {
    const { signal } = this.#closing;
    const { clock, random } = this.#context;
    for (;;) {
      const ceilingMs = Math.min(maxDelayMs, firstDelayMs * 2 ** this.#failures++);
      const delayMs = random() * ceilingMs;
      this.#log(`is opened again in ${Math.round(delayMs)} ms`, { attempt: this.#failures });
      await sleep(clock, delayMs, signal);
      try {
        return await this.openOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#reportAnew(toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", this.#transport.name));
      }
    }
  }

  /** What it waits for is the cause; that the transport cannot be had is not the last word. */
  #reportAnew(failure: DiscoveryError): void {
    const error = isDiscoveryError(failure.cause) ? failure.cause : failure;
    const report = `${error.code} ${error.message}`;
    if (this.#reminder.isDue(report, this.#context.clock.now())) this.#context.report(error);
  }

  #log(what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    const { name } = this.#transport;
    this.#context.log("info", `${name} ${what}`, { via: name, ...fields });
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#replayed.clear();
    await this.#recovering;
    const session = this.#current;
    this.#current = null;
    await session?.[Symbol.asyncDispose]();
  }
}

/** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when the session cannot announce. */
function announceOf(session: TransportSession, name: string): NonNullable<TransportSession["announce"]> {
  if (session.announce) return session.announce.bind(session);
  throw new DiscoveryError("TRANSPORT_UNAVAILABLE", `${name} cannot announce`, { via: name });
}

/** A dead session may fail to close; that its transport died was reported already. */
function quietly(disposal: PromiseLike<void>): PromiseLike<void> {
  return disposal.then(undefined, () => {});
}
