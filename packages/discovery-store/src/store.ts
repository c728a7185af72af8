import type { DiscoveryError, Log } from "@lmserv/discovery-core";
import type { Cancellable, Clock } from "@lmserv/discovery-core/transport";

/**
 * A store that others run, in which every announcement is one value that does not outlive its announcer.
 *
 * Inert until connected, and may be connected more than once.
 */
export interface Store {
  /** Stable lower-case word for messages and as the name of the transport: `etcd`, `nats`. */
  readonly type: string;
  /** Where it is, for messages; without secrets. */
  readonly place: string;
  /**
   * Resolves once the store has answered and let us in.
   *
   * @throws {DiscoveryError} `MEDIUM_UNREACHABLE` when it is absent, `TRANSPORT_UNAVAILABLE` when it cannot be used,
   *   such as one that is too old, `PERMISSION_DENIED` when it refuses. The message names the place and the mend.
   *   `signal.reason` itself when aborted.
   */
  connect(context: StoreContext, options: Cancellable): Promise<StoreConnection>;
  /**
   * Reads what there is, as a watch would, and leaves without having made anything; resolves with the number of values.
   *
   * @throws as `connect`, and for what we may not read.
   */
  count(context: StoreContext, options: Cancellable): Promise<number>;
}

/** What a connection gets from the transport that uses it. */
export interface StoreContext {
  /** Name of the transport, the `via` of errors. */
  readonly via: string;
  /** Which fleet: 1..64 visible ASCII characters. A connection sees and writes nothing of any other. */
  readonly cluster: string;
  /**
   * How long a value outlives its silent announcer, in ms, 2_000..86_400_000. A connection that is silently broken is
   * noticed within two thirds of it.
   */
  readonly lifetimeMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Takes faults that the connection survives, once for each fault and not for each attempt: `SEND_FAILED` when the
   * store does not take a value, `NAME_CONFLICT` when another process wrote over one. They become warnings.
   */
  readonly report: (error: DiscoveryError) => void;
}

/**
 * Owns every resource that it uses. Disposal is idempotent, ends the watch, lets go of what is still held, and takes a
 * few seconds at most where the store does not answer. One that is lost lets go of nothing: its values run out.
 */
export interface StoreConnection extends AsyncDisposable {
  /**
   * Resolves when the store is lost: none of its servers answers, it refuses us, or it forgot what it kept. Never
   * rejects, and stays pending when the connection is disposed.
   *
   * `MEDIUM_UNREACHABLE` or `PERMISSION_DENIED`, with the place, the cause and the mend. Nothing is told after it, what
   * was held is void, and what waits rejects with it. The connection never returns from it: where one server of several
   * is gone, it goes on with another instead.
   */
  readonly lost: Promise<DiscoveryError>;
  /** Tells of everything there is, then of what changes, in order, until the connection is lost or disposed; once. */
  watch(watcher: Watcher): void;
  /**
   * Keeps `value` under `key` until disposed; resolves when the store acknowledged it.
   *
   * Renews it, takes a lease that ended anew, and puts the value again where somebody else wrote over it or deleted it,
   * which it notices within one lifetime. Tries again, and reports it, where the store takes no value.
   *
   * @param key - `[0-9a-f.]{1,128}`, relative to the cluster: the store adds its prefix or bucket.
   * @param value - At most `maxValueBytes` of UTF-8.
   * @throws {DiscoveryError} `PERMISSION_DENIED` when the store refuses the first value, `TRANSPORT_FAILED` when the
   *   connection was disposed, the cause of its loss; `signal.reason` itself when aborted. Nothing is held then.
   */
  hold(key: string, value: string, options: Cancellable): Promise<Held>;
}

/** Takes what a watch finds in the store; nothing is known of who wrote it. */
export interface Watcher {
  /**
   * A value, perhaps the one that is known.
   *
   * @param key - Relative to the cluster; any text.
   * @param value - The empty text stands for what cannot be an announcement: no UTF-8, longer than `maxValueBytes`,
   *   bound to no lease.
   */
  put(key: string, value: string): void;
  /** A value ended. @param wasRemoved - Whether it was deleted; false where it may have run out. */
  delete(key: string, wasRemoved: boolean): void;
  /** All has been told that there is: at the start, and after each gap. What is not among `present` is gone. */
  complete(present: Pick<ReadonlySet<string>, "has">): void;
}

/** A value that the store keeps for us. Disposal removes it, or gives up within seconds and lets it run out. */
export interface Held extends AsyncDisposable {
  /**
   * Puts another value in its place; resolves when the store acknowledged it, which it tries until then.
   *
   * An abort only ends the wait: the value is put as soon as that can be. Of two that wait, the later one is put.
   */
  put(value: string, options: Cancellable): Promise<void>;
}

/** A signed record takes at most 16 KiB (`discovery-signing`), its key and signature the rest. */
export const maxValueBytes = 16_640;
/** As many values as a registry lists; a store tells of no more of them at once. */
export const maxEntries = 10_000;
