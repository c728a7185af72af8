import { type Cancellable, Reminder } from "@lmserv/discovery-core";
import {
  type EngineConnection,
  type EngineContext,
  type EngineEvent,
  engineStream,
  type Held,
} from "@lmserv/discovery-fleet";
import type { EtcdClient } from "./client.ts";
import type { Complaint } from "./complaint.ts";
import { isFault } from "./fault.ts";
import type { Keyspace } from "./keyspace.ts";
import { type Rhythm, rhythmOf } from "./rhythm.ts";
import { Tenure } from "./tenure.ts";
import { EtcdWatch } from "./watch.ts";

/** One process at etcd: a watch, and a lease for each value that it keeps. */
export class EtcdConnection implements EngineConnection {
  readonly #context: EngineContext;
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #complaint: Complaint;
  readonly #rhythm: Rhythm;
  readonly #closing = new AbortController();
  readonly #tenures = new Set<Tenure>();
  readonly #watches = new Map<EtcdWatch, Promise<void>>();
  /** The faults of announcing that are not over. */
  readonly #faults = new Reminder();
  readonly #conflicts = new Reminder();
  #closed: Promise<void> | null = null;

  constructor(context: EngineContext, client: EtcdClient, keyspace: Keyspace, complaint: Complaint) {
    this.#context = context;
    this.#client = client;
    this.#keyspace = keyspace;
    this.#complaint = complaint;
    this.#rhythm = rhythmOf(context.lifetimeMs);
  }

  watch({ signal }: Cancellable): AsyncIterable<EngineEvent> {
    const { clock, random } = this.#context;
    return engineStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        const ending = new AbortController();
        const options = {
          client: this.#client,
          keyspace: this.#keyspace,
          clock,
          random,
          rhythm: this.#rhythm,
          errorOf: (fault: unknown) => this.#complaint.of(fault, "MEDIUM_UNREACHABLE"),
        };
        const watch = new EtcdWatch(options, sink, ending.signal);
        const running = watch.run();
        this.#watches.set(watch, running);
        running.finally(() => this.#watches.delete(watch));
        return () => ending.abort();
      },
    });
  }

  async hold(key: string, value: string, options: Cancellable): Promise<Held> {
    options.signal.throwIfAborted();
    if (this.#closing.signal.aborted)
      throw this.#complaint.say("TRANSPORT_FAILED", "the connection was closed");
    const tenure = this.#tenure(key, value);
    this.#tenures.add(tenure);
    try {
      await tenure.begin(options);
    } catch (error) {
      await this.#drop(tenure);
      if (options.signal.aborted) throw options.signal.reason;
      throw this.#complaint.of(error, "SEND_FAILED");
    }
    return {
      put: (changed, cancellable) => tenure.put(changed, cancellable),
      [Symbol.asyncDispose]: () => this.#drop(tenure),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #tenure(key: string, value: string): Tenure {
    const { clock, random, via } = this.#context;
    return new Tenure({
      client: this.#client,
      clock,
      random,
      rhythm: this.#rhythm,
      via,
      key: this.#keyspace.keyOf(key),
      value,
      on: {
        fault: (fault, lastsMs) => this.#reportFault(fault, lastsMs),
        overwritten: () => this.#reportOverwritten(key),
        kept: () => this.#faults.clear(),
      },
    });
  }

  async #drop(tenure: Tenure): Promise<void> {
    await tenure[Symbol.asyncDispose]();
    this.#tenures.delete(tenure);
  }

  /**
   * A watch tells of an engine that is away; several values have one fault together. What may pass by itself is told
   * when it has lasted for a lifetime, after which others do not list the node.
   */
  #reportFault(fault: unknown, lastsMs: number): void {
    const error = this.#complaint.of(fault, "SEND_FAILED");
    const isAway = error.code === "MEDIUM_UNREACHABLE" && this.#watches.size > 0;
    if (isAway && [...this.#watches.keys()].some(({ isLost }) => isLost)) return;
    if ((isAway || isFault(fault, "missing")) && lastsMs < this.#rhythm.lifetimeMs) return;
    if (!this.#faults.isDue(error.code, this.#context.clock.now())) return;
    this.#context.report(error);
  }

  #reportOverwritten(key: string): void {
    if (!this.#conflicts.isDue(key, this.#context.clock.now())) return;
    const { prefix } = this.#keyspace;
    const text = `another process wrote over ${prefix}${key}, which this one announces: it is put back`;
    this.#context.report(this.#complaint.say("NAME_CONFLICT", text));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#tenures].map((tenure) => this.#drop(tenure)));
    await Promise.all(this.#watches.values());
    this.#client.close();
  }
}
