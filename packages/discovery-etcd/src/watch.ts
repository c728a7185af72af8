import { type Clock, type DiscoveryError, onAbort, type Sink, sleep } from "@lmserv/discovery-core";
import type { EngineEvent } from "@lmserv/discovery-fleet";
import { Backoff } from "./backoff.ts";
import type { EtcdClient, Result } from "./client.ts";
import { EtcdFault, isObject, scalarText } from "./fault.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Rhythm } from "./rhythm.ts";
import { type Revision, readSnapshot, revisionOf } from "./snapshot.ts";

export interface WatchOptions {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly rhythm: Rhythm;
  /** What users are told of a fault. */
  readonly errorOf: (fault: unknown) => DiscoveryError;
}

/** A watch that broke sooner than this is not started anew without a pause. */
const stableMs = 5_000;

/** Reads everything, then follows from the very next revision; after any gap, again. */
export class EtcdWatch {
  readonly #options: WatchOptions;
  readonly #sink: Sink<EngineEvent>;
  readonly #signal: AbortSignal;
  readonly #backoff: Backoff;
  #latest: Revision | null = null;
  #isLost = false;

  constructor(options: WatchOptions, sink: Sink<EngineEvent>, signal: AbortSignal) {
    this.#options = options;
    this.#sink = sink;
    this.#signal = signal;
    this.#backoff = new Backoff(options.random, options.rhythm.maxPauseMs);
  }

  /** Whether it said so, and nothing was read since. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Resolves when aborted. Never rejects. */
  async run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#signal.aborted) {
      const revision = await this.#read();
      const startedMs = clock.now();
      if (revision) await this.#follow(revision);
      if (revision && clock.now() - startedMs >= stableMs) this.#backoff.reset();
      await sleep(clock, this.#backoff.nextMs(), this.#signal).catch(() => {});
    }
  }

  /** The whole truth; null when it cannot be had, which is a loss. */
  async #read(): Promise<Revision | null> {
    const { client, keyspace } = this.#options;
    try {
      const { revision, entries } = await readSnapshot(client, keyspace, this.#signal);
      if (this.#isOther(revision)) {
        this.#lose(new EtcdFault("unreachable", "it came back without what it knew"));
      }
      this.#latest = revision;
      this.#isLost = false;
      this.#sink.push({ kind: "snapshot", entries });
      return revision;
    } catch (error) {
      this.#lose(error);
      return null;
    }
  }

  /** Whether this is not the store that was read before: revisions never go back. */
  #isOther({ cluster, number }: Revision): boolean {
    const before = this.#latest;
    return before !== null && (cluster !== before.cluster || number < before.number);
  }

  /** Resolves when there is a gap: the stream broke, its server fell silent, or was faster than us. */
  async #follow(from: Revision): Promise<void> {
    const { client, keyspace } = this.#options;
    const { server } = client;
    const ending = new AbortController();
    const ignore = onAbort(this.#signal, () => ending.abort());
    const probing = this.#probe(server, ending);
    const create_request = { ...keyspace.range, start_revision: from.number + 1, fragment: true };
    try {
      const answers = client.streamAt(server, "/v3/watch", { create_request }, ending.signal);
      for await (const answer of answers) this.#take(answer);
    } catch {
      // The next snapshot tells whether it was more than a gap.
      client.leave(server);
    } finally {
      ignore();
      ending.abort();
      await probing;
    }
  }

  /** Ends the stream once its server does not answer any more: a stream without news says nothing of that. */
  async #probe(server: URL, ending: AbortController): Promise<void> {
    const { client, keyspace, clock, rhythm } = this.#options;
    const question = { ...keyspace.range, count_only: true };
    try {
      for (;;) {
        await sleep(clock, rhythm.probeMs, ending.signal);
        await client.callAt(server, "/v3/kv/range", question, ending.signal);
      }
    } catch {
      ending.abort();
    }
  }

  #take(answer: Result): void {
    if (answer.canceled === true) {
      throw new EtcdFault("rejected", scalarText(answer.cancel_reason) || "it ended the watch");
    }
    const events = Array.isArray(answer.events) ? answer.events : [];
    for (const event of events) this.#pass(event);
    if (events.length > 0) this.#latest = revisionOf(answer);
  }

  #pass(event: unknown): void {
    const { keyspace } = this.#options;
    const { type, kv } = isObject(event) ? event : {};
    if (type === "DELETE") {
      const key = keyspace.relative(kv);
      if (key !== null) this.#sink.push({ kind: "delete", key, wasRemoved: false });
      return;
    }
    const entry = keyspace.entryOf(kv);
    if (entry) this.#sink.push({ kind: "put", ...entry });
  }

  #lose(fault: unknown): void {
    if (this.#isLost || this.#signal.aborted) return;
    this.#isLost = true;
    this.#sink.push({ kind: "lost", error: this.#options.errorOf(fault) });
  }
}
