import { DiscoveryError, isCallerError, isDiscoveryError, toDiscoveryError } from "../contract/errors.ts";
import type {
  Cancellable,
  Observation,
  Registration,
  ResolvedAnnouncement,
  Transport,
  TransportContext,
  TransportSession,
} from "../contract/transport.ts";
import {
  assertOptions,
  assertShape,
  functionShape,
  type OptionShapes,
  transportShape,
} from "../options/options-check.ts";
import { linkedAbort, onAbort } from "../streams/abort-listener.ts";
import { forward, observationStream } from "../streams/observation-stream.ts";
import { backoffMs } from "../time/backoff.ts";
import { sleep } from "../time/clock.ts";
import { Reminder } from "../time/reminder.ts";
import { viasOf } from "./compose.ts";
import { SupervisedBrowse } from "./supervised-browse.ts";

export interface SuperviseOptions {
  /** Returns true to retry a first opening that failed so, instead of failing `open`. @default never */
  readonly outlasts?: (error: DiscoveryError) => boolean;
}

const shapes: OptionShapes<SuperviseOptions> = { outlasts: functionShape };

/**
 * Pauses after a first attempt at once: full jitter, doubling; the cap lists a returning network within
 * seconds.
 */
const pauses = { firstMs: 250, maxMs: 5_000 };
/** Life of a session after which the back-off starts anew, in ms. */
const stableMs = 60_000;
/** Refusals in a row that count as a disorderly restart; a further one is final. */
const maxDenials = 10;

/**
 * Re-opens a lost transport, and replays its browses and announcements: the only code that does.
 *
 * A session is lost when a browse throws, a replayed announcement fails, or it reports `TRANSPORT_FAILED`.
 * Its browses go on: they yield `lost`, then `recovered` and the next session's observations. Of these,
 * `settled` and unreachable nodes come no sooner than `absenceMs` after its opening. The first attempt is
 * made at once, others with jittered back-off. Each loss is reported once, and again while it lasts
 * (`Reminder`). Permission denied ten times in a row is final.
 *
 * @throws {TypeError} for an invalid transport or invalid options.
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
        if (isCallerError(error)) throw error;
        const failure = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", transport.name);
        if (!outlasts(failure)) throw failure;
        supervisor.recover(failure);
      }
      return supervisor.session();
    },
    ...(transport.diagnose && { diagnose: transport.diagnose.bind(transport) }),
  };
}

/** Announcement that is repeated on each new session. */
interface Replayed {
  node: ResolvedAnnouncement;
  /** Registration on the present session, once it was announced there. */
  registration: Registration | null;
}

class Supervisor {
  readonly #transport: Transport;
  readonly #context: TransportContext;
  readonly #closing = new AbortController();
  readonly #browses = new Set<SupervisedBrowse>();
  readonly #replayed = new Set<Replayed>();
  /** Waits for the next session: aborted when it is there, or will not come. */
  readonly #arrivals = new Set<AbortController>();
  #current: TransportSession | null = null;
  #openedMs = 0;
  /** True after the first loss. */
  #isReopened = false;
  #failures = 0;
  #denials = 0;
  /** Final error, after which it is not opened any more. */
  #failure: DiscoveryError | null = null;
  /** Cleared by a session that outlived the longest delay; a shorter life does not end the fault. */
  readonly #reminder = new Reminder();
  #recovering: Promise<void> = Promise.resolve();

  constructor(transport: Transport, context: TransportContext) {
    this.#transport = transport;
    this.#context = context;
  }

  /** Opens a session and adopts it; notices its death even without a browse. */
  async openOnce(signal: AbortSignal): Promise<void> {
    const life: { session: TransportSession | null; death: DiscoveryError | null } = {
      session: null,
      death: null,
    };
    const report = (error: DiscoveryError): void => {
      if (error.code !== "TRANSPORT_FAILED") this.#context.report(error);
      else if (life.session) this.#discard(life.session, error);
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
    this.#openedMs = this.#context.clock.now();
    if (this.#isReopened) this.#tellAll((via) => ({ kind: "recovered", via }));
    for (const browse of this.#browses) this.#run(browse, session);
    for (const replayed of this.#replayed) this.#replay(replayed, session);
    if (session === this.#current) for (const arrival of [...this.#arrivals]) arrival.abort();
  }

  /** Reports the loss of the session and opens another as soon as that succeeds. */
  recover(error: DiscoveryError, dead: TransportSession | null = null): void {
    this.#reportDue(error);
    this.#recovering = this.#reopen(error, dead).catch(() => {});
  }

  /** Sends every browse an observation for each of the transport's names. */
  #tellAll(observationOf: (via: string) => Observation): void {
    const observations = viasOf(this.#transport).map(observationOf);
    for (const { sink } of this.#browses) for (const observation of observations) sink.push(observation);
  }

  session(): TransportSession {
    const inner = this.#current;
    const current = (): TransportSession | null => this.#current;
    return {
      browse: (query, { signal }) =>
        observationStream({
          signal,
          closed: this.#closing.signal,
          start: (sink) => this.#browse(new SupervisedBrowse(query, sink, this.#context.clock)),
        }),
      ...((!inner || inner.announce) && { announce: this.#announce.bind(this) }),
      ...((!inner || inner.reconfirm) && {
        reconfirm: async (key: string, options: Cancellable) => this.#current?.reconfirm?.(key, options),
      }),
      get attributes() {
        return current()?.attributes ?? {};
      },
      get absenceMs() {
        return current()?.absenceMs ?? 0;
      },
      [Symbol.asyncDispose]: () => this.#close(),
    };
  }

  #browse(browse: SupervisedBrowse): () => void {
    this.#browses.add(browse);
    if (this.#failure) browse.sink.fail(this.#failure);
    else if (this.#current) this.#run(browse, this.#current);
    return () => {
      this.#browses.delete(browse);
      browse.stop();
    };
  }

  async #run(browse: SupervisedBrowse, session: TransportSession): Promise<void> {
    const { query, stopping } = browse;
    try {
      await forward(session.browse(query, stopping), (observation) => {
        if (session === this.#current) browse.pass(observation, this.#patienceMs());
      });
    } catch (error) {
      if (stopping.signal.aborted) return;
      this.#discard(session, toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name));
    }
  }

  /** Time before which nothing counts as missing: a new session first reports its nodes again. */
  #patienceMs(): number {
    return this.#isReopened ? this.#openedMs + (this.#current?.absenceMs ?? 0) : 0;
  }

  async #announce(node: ResolvedAnnouncement, { signal }: Cancellable): Promise<Registration> {
    const replayed: Replayed = { node, registration: await this.#announceOnNext(node, signal) };
    this.#replayed.add(replayed);
    return {
      update: (changed, options) => this.#update(replayed, changed, options),
      [Symbol.asyncDispose]: async () => {
        if (this.#replayed.delete(replayed)) await replayed.registration?.[Symbol.asyncDispose]();
      },
    };
  }

  /** Announces a change now, or with the next session if this one is lost over it. */
  async #update(replayed: Replayed, changed: ResolvedAnnouncement, options: Cancellable): Promise<void> {
    const { node, registration } = replayed;
    const session = this.#current;
    replayed.node = changed;
    try {
      await registration?.update(changed, options);
    } catch (error) {
      if (isLoss(error) && session) return this.#discard(session, error);
      if (replayed.node === changed) replayed.node = node;
      throw error;
    }
  }

  /** Announces on the present session, or on the next one if that dies over it. */
  async #announceOnNext(node: ResolvedAnnouncement, signal: AbortSignal): Promise<Registration> {
    for (;;) {
      const registration = await this.#announceOn(await this.#arrival(signal), node, signal);
      if (registration) return registration;
    }
  }

  /** Null if the session was lost over it. */
  async #announceOn(
    session: TransportSession,
    node: ResolvedAnnouncement,
    signal: AbortSignal,
  ): Promise<Registration | null> {
    const announce = announceOf(session, this.#transport.name);
    try {
      const registration = await announce(node, { signal });
      return session === this.#current ? registration : null;
    } catch (error) {
      signal.throwIfAborted();
      if (isCallerError(error)) throw error;
      if (isLoss(error)) this.#discard(session, error);
      if (session !== this.#current) return null;
      throw toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name);
    }
  }

  async #replay(replayed: Replayed, session: TransportSession): Promise<void> {
    replayed.registration = null;
    try {
      const { node } = replayed;
      const registration = (await session.announce?.(node, this.#closing)) ?? null;
      if (replayed.node !== node) await registration?.update(replayed.node, this.#closing);
      if (this.#replayed.has(replayed) && session === this.#current) replayed.registration = registration;
      else await registration?.[Symbol.asyncDispose]();
    } catch (error) {
      if (this.#closing.signal.aborted || session !== this.#current) return;
      const failure = toDiscoveryError(error, "TRANSPORT_FAILED", this.#transport.name);
      if (failure.code === "TRANSPORT_FAILED") this.#discard(session, failure);
      else this.#context.report(failure);
    }
  }

  /** Present session, or the next one. */
  #arrival(signal: AbortSignal): Promise<TransportSession> {
    if (this.#current) return Promise.resolve(this.#current);
    if (this.#failure) return Promise.reject(this.#failure);
    const arrival = linkedAbort(signal, this.#closing.signal);
    return new Promise((resolve, reject) => {
      if (arrival.signal.aborted) return reject(arrival.signal.reason);
      this.#arrivals.add(arrival);
      onAbort(arrival.signal, () => {
        this.#arrivals.delete(arrival);
        if (this.#current) resolve(this.#current);
        else reject(this.#failure ?? arrival.signal.reason);
      });
    });
  }

  #discard(session: TransportSession, error: DiscoveryError): void {
    if (session !== this.#current) return;
    const { clock } = this.#context;
    this.#current = null;
    this.#isReopened = true;
    const livedMs = clock.now() - this.#openedMs;
    if (livedMs >= pauses.maxMs) this.#reminder.clear();
    if (livedMs >= stableMs) this.#failures = this.#denials = 0;
    for (const browse of this.#browses) browse.dropHeld();
    for (const replayed of this.#replayed) replayed.registration = null;
    this.#tellAll((via) => ({ kind: "lost", via, error: causeOf(error) }));
    this.recover(error, session);
  }

  /** Waits until the dead session has freed its resources, which the next one may need. */
  async #reopen(error: DiscoveryError, dead: TransportSession | null): Promise<void> {
    const { signal } = this.#closing;
    const { clock, random } = this.#context;
    if (dead) await quietly(dead[Symbol.asyncDispose]());
    for (let latest = error; !this.#isDenied(latest); ) {
      const delayMs = this.#failures === 0 ? 0 : backoffMs(this.#failures, pauses, random);
      this.#failures += 1;
      this.#log(`is opened again in ${Math.round(delayMs)} ms`, { attempt: this.#failures });
      if (delayMs > 0) await sleep(clock, delayMs, signal);
      signal.throwIfAborted();
      try {
        return await this.openOnce(signal);
      } catch (error) {
        signal.throwIfAborted();
        latest = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", this.#transport.name);
        this.#reportDue(latest);
      }
    }
  }

  /** Counts refusals; the last one ends every browse and every wait for a session. */
  #isDenied(error: DiscoveryError): boolean {
    if (causeOf(error).code !== "PERMISSION_DENIED") this.#denials = 0;
    else this.#denials += 1;
    if (this.#denials < maxDenials) return false;
    this.#failure = causeOf(error);
    for (const { sink } of this.#browses) sink.fail(this.#failure);
    for (const arrival of [...this.#arrivals]) arrival.abort();
    return true;
  }

  /**
   * Reports each loss once, whatever the further errors, and again while it lasts; a refusal counts as
   * another loss.
   */
  #reportDue(failure: DiscoveryError): void {
    const cause = causeOf(failure);
    const kind = cause.code === "PERMISSION_DENIED" ? cause.code : "";
    if (this.#reminder.isDue(kind, this.#context.clock.now())) this.#context.report(cause);
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

/** True if a session reports that its medium died. */
function isLoss(error: unknown): error is DiscoveryError {
  return isDiscoveryError(error) && error.code === "TRANSPORT_FAILED";
}

/** Cause of the wait; `TRANSPORT_UNAVAILABLE` itself is not the final cause. */
function causeOf(failure: DiscoveryError): DiscoveryError {
  return isDiscoveryError(failure.cause) ? failure.cause : failure;
}

/** A dead session may fail to close; its failure was reported already. */
function quietly(disposal: PromiseLike<void>): PromiseLike<void> {
  return disposal.then(undefined, () => {});
}
