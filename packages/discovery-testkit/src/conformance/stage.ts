import assert from "node:assert/strict";
import type { DiscoveryError } from "@lmserv/discovery-core";
import {
  type Cancellable,
  linkedAbort,
  type Observation,
  type Registration,
  type ResolvedAnnouncement,
  randomHex,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { CountingClock } from "./counting-clock.ts";
import type { Capabilities, Fixture } from "./fixture.ts";
import { Watch } from "./watch.ts";

/** Step of time while a rule waits, in ms. */
const stepMs = 20;
/** Turns granted to work that must not depend on time. */
const maxTurns = 25;
/** First port, above well-known ones; a rule uses one for each node. */
const firstPort = 20_001;

/** Promise with a visible state. */
export interface Tracked<T> {
  readonly promise: Promise<T>;
  readonly done: boolean;
}

/** A rule's view of its fixture: opens, watches, waits, and cleans up after it. */
export class Stage {
  readonly fixture: Fixture;
  readonly capabilities: Capabilities;
  readonly context: TransportContext;
  readonly clock: CountingClock;
  readonly ttlMs: number;
  readonly patienceMs: number;
  readonly #sessions: AsyncDisposable[] = [];
  readonly #ending = new AbortController();
  #nodes = 0;

  constructor(fixture: Fixture, capabilities: Capabilities) {
    this.fixture = fixture;
    this.capabilities = capabilities;
    const context = fixture.context();
    this.clock = new CountingClock(context.clock);
    this.context = { ...context, clock: this.clock };
    this.ttlMs = fixture.ttlMs ?? 60_000;
    this.patienceMs = fixture.patienceMs ?? 15_000;
  }

  /** Opens a session that is disposed at the end. */
  async open(
    transport: Transport = this.fixture.transport(),
    { signal = this.#ending.signal, report = this.context.report }: Partial<OpenOptions> = {},
  ): Promise<TransportSession> {
    const session = await this.within(transport.open({ ...this.context, report }, { signal }), "it opens");
    this.#sessions.push(session);
    return session;
  }

  /** Browses and records every observation, until `controller` aborts. */
  watch(session: TransportSession, controller: AbortController = new AbortController()): Watch {
    const { signal } = linkedAbort(controller.signal, this.#ending.signal);
    return new Watch(session.browse(this.query, { signal }), this.clock);
  }

  /** Browses step by step. */
  iterate(
    session: TransportSession,
    signal: AbortSignal = this.#ending.signal,
  ): AsyncIterator<Observation, unknown, undefined> {
    return session.browse(this.query, { signal })[Symbol.asyncIterator]();
  }

  get query(): { readonly ttlMs: number } {
    return { ttlMs: this.ttlMs };
  }

  /** Announces and resolves when the medium has accepted it. */
  announce(
    session: TransportSession,
    node: ResolvedAnnouncement,
    signal: AbortSignal = this.#ending.signal,
  ): Promise<Registration> {
    assert.ok(session.announce, "the session of a transport that announces has no announce");
    return this.within(session.announce(node, { signal }), "the announcement is accepted");
  }

  /** Node that is unique in this rule. */
  newNode(): ResolvedAnnouncement {
    this.#nodes += 1;
    const id = randomHex(this.context.random, 128);
    return { id, port: firstPort + this.#nodes, info: `node ${this.#nodes}` };
  }

  async newcomer(): Promise<ResolvedAnnouncement> {
    const node = this.newNode();
    await this.fixture.appear(node);
    return node;
  }

  /** Lets time pass until `isTrue`. */
  async until(isTrue: () => boolean, what: string): Promise<void> {
    for (let waitedMs = 0; !isTrue(); waitedMs += stepMs) {
      if (waitedMs > this.patienceMs) assert.fail(`waited ${this.patienceMs} ms in vain until ${what}`);
      await this.fixture.advance(waitedMs === 0 ? 0 : stepMs);
    }
  }

  /** Lets time pass until the promise has settled, and settles alike. */
  async within<T>(promise: PromiseLike<T> | T, what: string): Promise<T> {
    const tracked = track(promise);
    await this.until(() => tracked.done, what);
    return tracked.promise;
  }

  /** As `within`, for work that must not depend on time. */
  async atOnce<T>(promise: PromiseLike<T> | T, what: string): Promise<T> {
    const tracked = track(promise);
    for (let turns = 0; !tracked.done; turns += 1) {
      assert.ok(turns < maxTurns, `waited in vain until ${what}`);
      await this.fixture.advance(0);
    }
    return tracked.promise;
  }

  /** Rejects unless `promise` rejects with the very `reason`. */
  async rejectsWith(promise: Promise<unknown>, reason: unknown, what: string): Promise<void> {
    const outcome = await this.within(
      promise.then(
        () => ({ rejected: false, error: undefined }),
        (error: unknown) => ({ rejected: true, error }),
      ),
      `${what} ends`,
    );
    assert.ok(outcome.rejected, `${what} did not reject`);
    assert.equal(outcome.error, reason, `${what} rejected with something else than signal.reason`);
  }

  /** Takes steps, at most `maxSteps`, until one waits for the medium. */
  async drain(
    iterator: AsyncIterator<Observation, unknown, undefined>,
    maxSteps: number,
  ): Promise<{ readonly taken: readonly Observation[]; readonly pending: Tracked<unknown> }> {
    const taken: Observation[] = [];
    for (;;) {
      const pending = track(iterator.next());
      for (let turns = 0; !pending.done && turns < 3; turns += 1) await this.fixture.advance(0);
      if (!pending.done) return { taken, pending };
      const step = await pending.promise;
      assert.ok(!step.done, "the browse ended by itself");
      taken.push(step.value);
      assert.ok(taken.length <= maxSteps, `more than ${maxSteps} observations waited`);
    }
  }

  /** Ends everything that the rule left; other rules find its faults. */
  async clear(): Promise<void> {
    this.#ending.abort();
    const disposals = this.#sessions.map((session) => session[Symbol.asyncDispose]());
    await this.within(Promise.allSettled(disposals), "all is disposed").catch(() => {});
  }
}

interface OpenOptions extends Cancellable {
  readonly report: (error: DiscoveryError) => void;
}

/** Also handles a rejection that is not awaited yet. */
export function track<T>(value: PromiseLike<T> | T): Tracked<T> {
  const promise = Promise.resolve(value);
  const tracked = { promise, done: false };
  const settle = (): void => {
    tracked.done = true;
  };
  promise.then(settle, settle);
  return tracked;
}
