import type { DiscoveryError } from "@lmserv/discovery-core";
import { type Cancellable, Reminder } from "@lmserv/discovery-core/transport";
import type { Held, StoreConnection, StoreContext, Watcher } from "@lmserv/discovery-store";
import type { EtcdClient } from "./client.ts";
import type { ErrorMapping } from "./error-mapping.ts";
import type { Keyspace } from "./keyspace.ts";
import { EtcdLease } from "./lease.ts";
import { type Timing, timingOf } from "./timing.ts";
import { EtcdWatch } from "./watch.ts";

/**
 * Connection of one process to etcd, with a watch and a lease for each held value, until no server answers.
 */
export class EtcdConnection implements StoreConnection {
  readonly lost: Promise<DiscoveryError>;
  readonly #context: StoreContext;
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #errorMapping: ErrorMapping;
  readonly #timing: Timing;
  readonly #closing = new AbortController();
  readonly #leases = new Set<EtcdLease>();
  /** Faults that keep values from being written. */
  readonly #faults = new Reminder();
  readonly #conflicts = new Reminder();
  #tellLoss: (error: DiscoveryError) => void = () => {};
  #loss: DiscoveryError | null = null;
  #watching: Promise<void> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(context: StoreContext, client: EtcdClient, keyspace: Keyspace, errorMapping: ErrorMapping) {
    this.#context = context;
    this.#client = client;
    this.#keyspace = keyspace;
    this.#errorMapping = errorMapping;
    this.#timing = timingOf(context.lifetimeMs);
    this.lost = new Promise((resolve) => {
      this.#tellLoss = resolve;
    });
  }

  watch(watcher: Watcher): void {
    const { clock, random } = this.#context;
    const [client, keyspace, timing, { signal }] = [
      this.#client,
      this.#keyspace,
      this.#timing,
      this.#closing,
    ];
    const watch = new EtcdWatch({ client, keyspace, clock, random, timing, signal }, watcher);
    this.#watching = watch.run().catch((fault: unknown) => this.#lose(fault));
  }

  async hold(key: string, value: string, options: Cancellable): Promise<Held> {
    options.signal.throwIfAborted();
    if (this.#closing.signal.aborted) throw this.#ending;
    const lease = this.#lease(key, value);
    this.#leases.add(lease);
    try {
      await lease.whenKept(options);
    } catch (error) {
      await lease[Symbol.asyncDispose]();
      options.signal.throwIfAborted();
      throw this.#errorMapping.of(error, "SEND_FAILED");
    }
    return lease;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #lease(key: string, value: string): EtcdLease {
    const { clock, random } = this.#context;
    const lease: EtcdLease = new EtcdLease({
      client: this.#client,
      ...{ clock, random, timing: this.#timing, key: this.#keyspace.keyOf(key), value },
      on: {
        kept: () => this.#faults.clear(),
        refused: (fault) => this.#report(this.#errorMapping.of(fault, "SEND_FAILED")),
        overwritten: () => this.#reportOverwritten(key),
        lost: (fault) => this.#lose(fault),
        ended: () => this.#leases.delete(lease),
      },
    });
    return lease;
  }

  /** Error for calls after the end. */
  get #ending(): DiscoveryError {
    return this.#loss ?? this.#errorMapping.say("TRANSPORT_FAILED", "the connection was closed");
  }

  #lose(fault: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#loss = this.#errorMapping.of(fault, "MEDIUM_UNREACHABLE");
    this.#tellLoss(this.#loss);
    this.#closing.abort();
    for (const lease of this.#leases) lease.giveUp(this.#loss);
  }

  /** Reports a fault once that several values share. */
  #report(error: DiscoveryError): void {
    if (this.#faults.isDue(error.code, this.#context.clock.now())) this.#context.report(error);
  }

  #reportOverwritten(key: string): void {
    if (!this.#conflicts.isDue(key, this.#context.clock.now())) return;
    const { prefix } = this.#keyspace;
    const text = `another process wrote over ${prefix}${key}, which this one announces: it is put back`;
    this.#context.report(this.#errorMapping.say("NAME_CONFLICT", text));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#leases].map((lease) => lease[Symbol.asyncDispose]()));
    await this.#watching;
    this.#client.close();
  }
}
