import type { DiscoveryError, Log } from "@lmserv/discovery-core";
import type { Cancellable, Clock } from "@lmserv/discovery-core/transport";

/**
 * Store that others run, in which every announcement is one value that does not outlive its announcer.
 *
 * Inert until connected, and may be connected more than once.
 */
export interface Store {
  /** Stable lower-case word for messages and as the name of the transport: `etcd`, `nats`. */
  readonly type: string;
  /** Place of the store for messages, without secrets. */
  readonly place: string;
  /**
   * Resolves once the store has accepted us.
   *
   * @throws {DiscoveryError} `MEDIUM_UNREACHABLE` when it is absent, `TRANSPORT_UNAVAILABLE` when it is
   * unusable, such as one that is too old, `PERMISSION_DENIED` when it refuses. The message names the place
   * and the remedy. `signal.reason` itself when aborted.
   */
  connect(context: StoreContext, options: Cancellable): Promise<StoreConnection>;
  /**
   * Reads the values as a watch would, and leaves without having made anything; resolves with their count.
   *
   * @throws as `connect`, and for values that we may not read.
   */
  count(context: StoreContext, options: Cancellable): Promise<number>;
}

/** Services of the transport for a connection. */
export interface StoreContext {
  /** Name of the transport, the `via` of errors. */
  readonly via: string;
  /** Fleet, 1..64 visible ASCII characters. A connection sees and writes nothing of any other. */
  readonly cluster: string;
  /**
   * Time that a value outlives its silent announcer, in ms, 2_000..86_400_000. A silently broken connection
   * is noticed within two thirds of it.
   */
  readonly lifetimeMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Receives faults that the connection survives, once for each fault and not for each attempt. They become
   * warnings.
   *
   * `SEND_FAILED`: the store does not take a value. `NAME_CONFLICT`: another process wrote over one.
   */
  readonly report: (error: DiscoveryError) => void;
}

/**
 * Open connection, which owns every resource that it uses.
 *
 * Disposal is idempotent, ends the watch and releases held values. It takes a few seconds at most if the
 * store does not answer. A lost connection releases nothing: its values expire.
 */
export interface StoreConnection extends AsyncDisposable {
  /**
   * Resolves when the store is lost: none of its servers answers, it refuses us, or it lost its values.
   *
   * Never rejects, and stays pending when the connection is disposed. The error is `MEDIUM_UNREACHABLE` or
   * `PERMISSION_DENIED`, with the place, the cause and the remedy. Nothing is reported after it, held values
   * are void, and pending calls reject with it. The loss is final: if one server of several goes, the
   * connection uses another instead.
   */
  readonly lost: Promise<DiscoveryError>;
  /** Reports all values, then changes in order, until the connection is lost or disposed; called once. */
  watch(watcher: Watcher): void;
  /**
   * Keeps `value` under `key` until disposed; resolves when the store acknowledged it.
   *
   * Renews the value, takes a new lease when one ended, and puts back a value that was overwritten or
   * deleted. It notices that within one lifetime. If the store takes no value, it reports that and tries
   * again.
   *
   * @param key - `[0-9a-f.]{1,128}`, relative to the cluster: the store adds its prefix or bucket.
   * @param value - At most `maxValueBytes` of UTF-8.
   * @throws {DiscoveryError} `PERMISSION_DENIED` when the store refuses the first value, `TRANSPORT_FAILED`
   * when the connection was disposed, the cause of its loss; `signal.reason` itself when aborted. Nothing is
   * held then.
   */
  hold(key: string, value: string, options: Cancellable): Promise<Held>;
}

/** Receiver of a watch's values; their writers are unknown. */
export interface Watcher {
  /**
   * Receives a value, perhaps a known one.
   *
   * @param key - Relative to the cluster; any text.
   * @param value - Empty for a value that cannot be an announcement: no UTF-8, longer than `maxValueBytes`,
   * bound to no lease.
   */
  put(key: string, value: string): void;
  /**
   * Receives the end of a value. @param wasRemoved - True if it was deleted; false if it may have expired.
   */
  delete(key: string, wasRemoved: boolean): void;
  /**
   * Called when all values were reported: at the start, and after each gap. Values outside `present` are
   * gone.
   */
  complete(present: Pick<ReadonlySet<string>, "has">): void;
}

/** Value that the store keeps for us. Disposal removes it, or gives up within seconds and lets it expire. */
export interface Held extends AsyncDisposable {
  /**
   * Replaces the value; resolves when the store acknowledged it, and tries until then.
   *
   * An abort only ends the wait: the value is put as soon as possible. Of two waiting values, the later one
   * is put.
   */
  put(value: string, options: Cancellable): Promise<void>;
}

/** A signed record takes at most 16 KiB (`discovery-signing`), its key and signature the rest. */
export const maxValueBytes = 16_640;
/** Bound on the values that a store reports at once, equal to a registry's. */
export const maxEntries = 10_000;
