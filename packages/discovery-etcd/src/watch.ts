import { setImmediate as turn } from "node:timers/promises";
import { backoffMs, type Clock, linkedAbort, sleep } from "@lmserv/discovery-core/transport";
import type { Watcher } from "@lmserv/discovery-store";
import type { EtcdClient, Result } from "./client.ts";
import { EtcdError, isObject, scalarText } from "./etcd-error.ts";
import type { Keyspace } from "./keyspace.ts";
import { type Revision, readSnapshot, revisionOf } from "./snapshot.ts";
import { firstPauseMs, type Timing } from "./timing.ts";

export interface WatchOptions {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly timing: Timing;
  readonly signal: AbortSignal;
}

/** A watch that broke sooner than this restarts only after a pause, in ms. */
const stableMs = 5_000;
/** Signatures of one turn: they take some ms, and then other work has its turn. */
const entriesPerTurn = 32;

/** Reads everything, then follows from the next revision; reads again after any gap. */
export class EtcdWatch {
  readonly #options: WatchOptions;
  readonly #watcher: Watcher;
  #failures = 0;
  #latest: Revision | null = null;

  constructor(options: WatchOptions, watcher: Watcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  /**
   * @throws {EtcdFault} when nothing can be read, or another store answers; `signal.reason` itself when
   * aborted.
   */
  async run(): Promise<never> {
    const { clock, random, signal, timing } = this.#options;
    for (;;) {
      const revision = await this.#read();
      const startedMs = clock.now();
      await this.#follow(revision);
      if (clock.now() - startedMs >= stableMs) this.#failures = 0;
      this.#failures += 1;
      const pauses = { firstMs: firstPauseMs, maxMs: timing.maxPauseMs };
      await sleep(clock, backoffMs(this.#failures, pauses, random), signal);
    }
  }

  async #read(): Promise<Revision> {
    const { client, keyspace, signal } = this.#options;
    const { revision, entries } = await readSnapshot(client, keyspace, signal);
    if (this.#isOther(revision)) throw new EtcdError("unreachable", "it came back without what it knew");
    this.#latest = revision;
    for (const [index, { key, value }] of entries.entries()) {
      this.#watcher.put(key, value);
      if (index % entriesPerTurn === entriesPerTurn - 1) await turn();
      signal.throwIfAborted();
    }
    this.#watcher.complete(new Set(entries.map(({ key }) => key)));
    return revision;
  }

  /** True for another store than the one read before: revisions never go back. */
  #isOther({ cluster, number }: Revision): boolean {
    const before = this.#latest;
    return before !== null && (cluster !== before.cluster || number < before.number);
  }

  /** Resolves at a gap: the stream broke, its server fell silent, or sent faster than we read. */
  async #follow(from: Revision): Promise<void> {
    const { client, keyspace, signal } = this.#options;
    const { server } = client;
    const ending = linkedAbort(signal);
    const checking = this.#checkServer(server, ending);
    const create_request = { ...keyspace.range, start_revision: from.number + 1, fragment: true };
    try {
      const answers = client.streamAt(server, "/v3/watch", { create_request }, ending.signal);
      for await (const answer of answers) this.#take(answer);
    } catch {
      // The next read tells if it was more than a gap.
      client.leave(server);
    } finally {
      ending.abort();
      await checking;
    }
  }

  /** Ends the stream once its server does not answer: a silent stream may be alive or dead. */
  async #checkServer(server: URL, ending: AbortController): Promise<void> {
    const { client, keyspace, clock, timing } = this.#options;
    const question = { ...keyspace.range, count_only: true };
    try {
      for (;;) {
        await sleep(clock, timing.serverCheckMs, ending.signal);
        await client.callAt(server, "/v3/kv/range", question, ending.signal);
      }
    } catch {
      ending.abort();
    }
  }

  #take(answer: Result): void {
    if (answer.canceled === true) {
      throw new EtcdError("rejected", scalarText(answer.cancel_reason) || "it ended the watch");
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
      if (key !== null) this.#watcher.delete(key, false);
      return;
    }
    const entry = keyspace.entryOf(kv);
    if (entry) this.#watcher.put(entry.key, entry.value);
  }
}
