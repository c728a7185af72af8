import { type Cancellable, type Clock, DiscoveryError, onAbort } from "@lmserv/discovery-core";
import type { Held } from "@lmserv/discovery-fleet";
import { Backoff } from "./backoff.ts";
import type { EtcdClient, Result } from "./client.ts";
import { isFault, isObject, scalarText } from "./fault.ts";
import type { Rhythm } from "./rhythm.ts";

export interface TenureOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly rhythm: Rhythm;
  readonly via: string;
  /** The key in base64. */
  readonly key: string;
  readonly value: string;
  readonly on: {
    /** Something is in the way, for so long already. */
    readonly fault: (fault: unknown, lastsMs: number) => void;
    /** Somebody is in our place. */
    readonly overwritten: () => void;
    /** It worked. */
    readonly kept: () => void;
  };
}

interface Lease {
  readonly id: string;
  /** The revision of our put; null while there is none. */
  revision: string | null;
}

interface Waiter {
  readonly version: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Every so many renewals it is looked whether the value is still there: once in a lifetime. */
const renewalsPerCheck = 3;
/** Renewals of many processes that started together drift apart. */
const jitter = 0.2;
/** How long a goodbye may take. */
const revokeMs = 2_000;

/** One value and its lease, kept for as long as it is wanted. */
export class Tenure implements Held {
  readonly #options: TenureOptions;
  readonly #ending = new AbortController();
  readonly #backoff: Backoff;
  readonly #waiters = new Set<Waiter>();
  #value: string;
  /** Which value is wanted, and which one etcd has. */
  #version = 1;
  #kept = 0;
  /** When all was well last, or when it began. */
  #wellMs: number;
  #lease: Lease | null = null;
  #renewals = 0;
  #mayCheck = true;
  #wake: () => void = () => {};
  readonly #running: Promise<void>;
  #disposed: Promise<void> | null = null;

  constructor(options: TenureOptions) {
    this.#options = options;
    this.#value = options.value;
    this.#wellMs = options.clock.now();
    this.#backoff = new Backoff(options.random, options.rhythm.maxPauseMs);
    this.#running = this.#run();
  }

  /** Resolves when etcd has the first value; rejects when it refuses it at once. */
  begin(options: Cancellable): Promise<void> {
    return this.#settled(options);
  }

  put(value: string, options: Cancellable): Promise<void> {
    this.#value = value;
    this.#version += 1;
    this.#wake();
    return this.#settled(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  /** Waits for the value that is wanted now, or a later one. */
  #settled({ signal }: Cancellable): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settle = (act: () => void): void => {
        this.#waiters.delete(waiter);
        ignore();
        act();
      };
      const waiter: Waiter = {
        version: this.#version,
        resolve: () => settle(resolve),
        reject: (reason) => settle(() => reject(reason)),
      };
      this.#waiters.add(waiter);
      const ignore = onAbort(signal, () => settle(() => reject(signal.reason)));
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#keep();
        await this.#rest();
      } catch (fault) {
        if (signal.aborted) return;
        if (this.#kept === 0 && isFault(fault, "refused")) return this.#giveUp(fault);
        this.#options.on.fault(fault, this.#options.clock.now() - this.#wellMs);
        await this.#pause(this.#backoff.nextMs());
      }
    }
  }

  /** All is well until the next renewal, unless another value is wanted by now. */
  async #rest(): Promise<void> {
    const { clock, rhythm, random, on } = this.#options;
    this.#wellMs = clock.now();
    this.#backoff.reset();
    on.kept();
    for (const waiter of [...this.#waiters]) if (waiter.version <= this.#kept) waiter.resolve();
    if (this.#kept === this.#version) await this.#pause(rhythm.renewMs * (1 - jitter * random()));
  }

  #giveUp(fault: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(fault);
  }

  /** Does whatever is due. */
  async #keep(): Promise<void> {
    const { signal } = this.#ending;
    const lease = (await this.#renewed(signal)) ?? (await this.#grant(signal));
    this.#lease = lease;
    if (lease.revision !== null) await this.#check(lease, signal);
    if (lease.revision !== null && this.#kept === this.#version) return;
    await this.#put(lease, signal);
  }

  /** The lease with a new term, or null when etcd has none of ours. */
  async #renewed(signal: AbortSignal): Promise<Lease | null> {
    const lease = this.#lease;
    if (!lease) return null;
    const answer = await this.#ask("/v3/lease/keepalive", { ID: lease.id }, signal);
    const { TTL: left } = isObject(answer.result) ? answer.result : {};
    if (Number(scalarText(left)) > 0) return lease;
    this.#lease = null;
    return null;
  }

  async #grant(signal: AbortSignal): Promise<Lease> {
    const TTL = Math.ceil(this.#options.rhythm.lifetimeMs / 1_000);
    const { ID: id } = await this.#ask("/v3/lease/grant", { TTL }, signal);
    return { id: scalarText(id), revision: null };
  }

  async #put(lease: Lease, signal: AbortSignal): Promise<void> {
    const [version, value] = [this.#version, Buffer.from(this.#value).toString("base64")];
    const body = { key: this.#options.key, value, lease: lease.id };
    try {
      const { header } = await this.#ask("/v3/kv/put", body, signal);
      lease.revision = isObject(header) ? scalarText(header.revision) : "";
      this.#kept = version;
    } catch (fault) {
      if (isFault(fault, "missing")) this.#lease = null;
      throw fault;
    }
  }

  /** Whether somebody wrote over the value, or deleted it: then it is put again. */
  async #check(lease: Lease, signal: AbortSignal): Promise<void> {
    this.#renewals = (this.#renewals + 1) % renewalsPerCheck;
    if (this.#renewals !== 0 || !this.#mayCheck) return;
    try {
      const body = { key: this.#options.key, keys_only: true };
      const { kvs } = await this.#ask("/v3/kv/range", body, signal);
      const kv: unknown = Array.isArray(kvs) ? kvs[0] : undefined;
      const found = isObject(kv) ? scalarText(kv.mod_revision) : null;
      if (found === lease.revision) return;
      if (found !== null) this.#options.on.overwritten();
      lease.revision = null;
    } catch (fault) {
      // Who may only write cannot look.
      if (!isFault(fault, "refused")) throw fault;
      this.#mayCheck = false;
    }
  }

  #ask(path: string, body: object, signal: AbortSignal): Promise<Result> {
    return this.#options.client.call(path, body, signal);
  }

  /** Ends early when another value is wanted, or none any more. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ending.signal.aborted) return resolve();
      const cancel = this.#options.clock.schedule(delayMs, () => this.#wake());
      this.#wake = () => {
        cancel();
        this.#wake = () => {};
        resolve();
      };
    });
  }

  async #end(): Promise<void> {
    const { client, clock, via } = this.#options;
    this.#ending.abort();
    this.#wake();
    await this.#running;
    this.#giveUp(new DiscoveryError("TRANSPORT_FAILED", "the connection was closed", { via }));
    const lease = this.#lease;
    this.#lease = null;
    if (!lease) return;
    const ending = new AbortController();
    const cancel = clock.schedule(revokeMs, () => ending.abort());
    // It runs out where it cannot be revoked.
    await client.call("/v3/lease/revoke", { ID: lease.id }, ending.signal).catch(() => {});
    cancel();
  }
}
