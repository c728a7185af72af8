import { DiscoveryError } from "@lmserv/discovery-core";
import { backoffMs, type Cancellable, type Clock } from "@lmserv/discovery-core/transport";
import { type Held, HeldValue } from "@lmserv/discovery-store";
import type { EtcdClient, Result } from "./client.ts";
import { isErrorKind, isObject, scalarText } from "./etcd-error.ts";
import { firstPauseMs, type Timing } from "./timing.ts";

export interface LeaseOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly timing: Timing;
  /** Key in base64. */
  readonly key: string;
  readonly value: string;
  readonly on: {
    /** Called after a success. */
    readonly kept: () => void;
    /** Called when etcd takes no value, such as for want of space; it is asked again. */
    readonly refused: (fault: unknown) => void;
    /** Called when another process wrote over the value. */
    readonly overwritten: () => void;
    /** Called when etcd does not answer, or refuses us. */
    readonly lost: (fault: unknown) => void;
    readonly ended: () => void;
  };
}

interface Lease {
  readonly id: string;
  /** Revision of our put; null if there is none. */
  revision: string | null;
}

/** Renewals between two checks of the value: one check in a lifetime. */
const renewalsPerCheck = 3;
/** Renewals of many processes that started together drift apart. */
const jitter = 0.2;
/** Failures in a row that are not reported: a server may be busy, or have just left its cluster. */
const quietFailures = 1;
/** Time limit of a goodbye, in ms. */
const revokeMs = 2_000;

/** Value with its lease, kept for as long as it is wanted. */
export class EtcdLease implements Held {
  readonly #options: LeaseOptions;
  readonly #ending = new AbortController();
  #failures = 0;
  readonly #value: HeldValue;
  #lease: Lease | null = null;
  #renewals = 0;
  #mayCheck = true;
  #wake: () => void = () => {};
  readonly #running: Promise<void>;
  #disposed: Promise<void> | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#value = new HeldValue(options.value);
    this.#running = this.#run();
  }

  put(value: string, options: Cancellable): Promise<void> {
    this.#value.change(value);
    this.#wake();
    return this.whenKept(options);
  }

  /** Resolves when etcd has the present value, or a later one. */
  whenKept(options: Cancellable): Promise<void> {
    return this.#value.whenKept(options);
  }

  /** Stops for good, and leaves the value to expire. */
  giveUp(reason: unknown): void {
    this.#lease = null;
    this.#ending.abort();
    this.#wake();
    this.#value.fail(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#end();
    return this.#disposed;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await this.#keep(signal);
        await this.#rest();
      } catch (fault) {
        if (signal.aborted) return;
        await this.#restore(fault);
      }
    }
  }

  /** Waits for the next renewal, or for another value. */
  async #rest(): Promise<void> {
    const { timing, random, on } = this.#options;
    this.#failures = 0;
    on.kept();
    if (this.#value.isKept) await this.#pause(timing.renewMs * (1 - jitter * random()));
  }

  async #restore(fault: unknown): Promise<void> {
    const { on, random, timing } = this.#options;
    // A process without the right to announce learns it at once, and may go on watching.
    if (!this.#value.wasKept && isErrorKind(fault, "refused")) return this.giveUp(fault);
    this.#failures += 1;
    const isSilence = isErrorKind(fault, "unreachable") && this.#failures <= quietFailures;
    if (isErrorKind(fault, "rejected")) on.refused(fault);
    else if (!isSilence && !isErrorKind(fault, "missing")) return on.lost(fault);
    await this.#pause(backoffMs(this.#failures, { firstMs: firstPauseMs, maxMs: timing.maxPauseMs }, random));
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const lease = (await this.#renewed(signal)) ?? (await this.#grant(signal));
    this.#lease = lease;
    if (lease.revision !== null) await this.#check(lease, signal);
    if (lease.revision !== null && this.#value.isKept) return;
    await this.#put(lease, signal);
  }

  /** Renewed lease, or null if etcd has none of ours. */
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
    const TTL = Math.ceil(this.#options.timing.lifetimeMs / 1_000);
    const { ID: id } = await this.#ask("/v3/lease/grant", { TTL }, signal);
    return { id: scalarText(id), revision: null };
  }

  async #put(lease: Lease, signal: AbortSignal): Promise<void> {
    const { version, text } = this.#value;
    const body = { key: this.#options.key, value: Buffer.from(text).toString("base64"), lease: lease.id };
    try {
      const { header } = await this.#ask("/v3/kv/put", body, signal);
      lease.revision = isObject(header) ? scalarText(header.revision) : "";
      this.#value.keep(version);
    } catch (fault) {
      if (isErrorKind(fault, "missing")) this.#lease = null;
      throw fault;
    }
  }

  /** Checks if the value was overwritten or deleted, and puts it back. */
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
      // A role with the right to write only cannot check.
      if (!isErrorKind(fault, "refused")) throw fault;
      this.#mayCheck = false;
    }
  }

  #ask(path: string, body: object, signal: AbortSignal): Promise<Result> {
    return this.#options.client.call(path, body, signal);
  }

  /** Ends early when the value changes or is released. */
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
    const { client, clock, on } = this.#options;
    const lease = this.#lease;
    this.giveUp(new DiscoveryError("TRANSPORT_FAILED", "the value is held no more"));
    on.ended();
    await this.#running;
    if (!lease) return;
    const ending = new AbortController();
    const cancel = clock.schedule(revokeMs, () => ending.abort());
    // A lease that cannot be revoked expires.
    await client.call("/v3/lease/revoke", { ID: lease.id }, ending.signal).catch(() => {});
    cancel();
  }
}
