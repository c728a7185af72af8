import type { Cancellable, Clock, DiscoveryError, Log } from "@lmserv/discovery-core";

/**
 * A store that others run, in which every announcement is one value that does not outlive its announcer.
 *
 * Inert until connected, and may be connected more than once.
 */
export interface Engine {
  /** Stable lower-case word for messages and as the name of the transport: `etcd`, `nats`. */
  readonly type: string;
  /** Where it is, for messages; without secrets. */
  readonly place: string;
  /**
   * Resolves once the engine has answered and let us in.
   *
   * @throws {DiscoveryError} `MEDIUM_UNREACHABLE` when it is absent, `TRANSPORT_UNAVAILABLE` when it cannot be used,
   *   such as one that is too old, `PERMISSION_DENIED` when it refuses. The message names the place and the mend.
   *   `signal.reason` itself when aborted.
   */
  connect(context: EngineContext, options: Cancellable): Promise<EngineConnection>;
  /**
   * Reads what there is, as a watch would, and leaves without having made anything; resolves with the number of values.
   *
   * @throws as `connect`, and for what we may not read.
   */
  count(context: EngineContext, options: Cancellable): Promise<number>;
}

/** What a connection gets from the transport that uses it. */
export interface EngineContext {
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
   * Takes faults of announcing, once for each fault and not for each attempt: `MEDIUM_UNREACHABLE`, `SEND_FAILED`
   * when the engine does not take a value, `PERMISSION_DENIED`, `NAME_CONFLICT` when somebody else wrote over one.
   * They become warnings. Those of watching are `lost` events, which the transport reports. Never
   * `TRANSPORT_FAILED`: the session would be closed for it.
   */
  readonly report: (error: DiscoveryError) => void;
}

/**
 * Owns every resource that it uses. Disposal is idempotent, ends watches, lets go of what is still held, and takes a
 * few seconds at most where the engine does not answer.
 */
export interface EngineConnection extends AsyncDisposable {
  /**
   * Everything there is, then what changes, in order and without gaps: after a gap comes a `snapshot`. A value that ran
   * out is a `delete`.
   *
   * Reconnects by itself for ever, with a full-jitter back-off. Three endings, as a browse has them: `break`
   * settles also while a `next()` is pending, an abort rejects with `signal.reason` itself, disposal of the connection
   * returns. The transport iterates one watch at a time, and reads on at once.
   */
  watch(options: Cancellable): AsyncIterable<EngineEvent>;
  /**
   * Keeps `value` under `key` until disposed; resolves when the engine acknowledged it.
   *
   * Tries until then, and reports what is in the way. After that it renews, takes the lease anew and puts the value
   * again, whatever goes wrong, for ever; also when somebody else wrote over it or deleted it, which it notices within
   * one lifetime.
   *
   * @param key - `[0-9a-f.]{1,128}`, relative to the cluster: the engine adds its prefix or bucket.
   * @param value - At most `maxValueBytes` of UTF-8.
   * @throws {DiscoveryError} `PERMISSION_DENIED` when the engine refuses at the first attempt, `TRANSPORT_FAILED` when
   *   the connection was disposed; `signal.reason` itself when aborted. Nothing is held then.
   */
  hold(key: string, value: string, options: Cancellable): Promise<Held>;
}

/** A value that the engine keeps for us. Disposal removes it, or gives up within seconds and lets it run out. */
export interface Held extends AsyncDisposable {
  /**
   * Puts another value in its place; resolves when the engine acknowledged it, which it tries until then.
   *
   * An abort only ends the wait: the value is put as soon as that can be. Of two that wait, the later one is put.
   */
  put(value: string, options: Cancellable): Promise<void>;
}

/** A value in the engine, as it is found there: nothing is known of who wrote it. */
export interface EngineEntry {
  /** Relative to the cluster; whatever somebody chose. */
  readonly key: string;
  /** The empty text stands for what cannot be an announcement: no UTF-8, longer than `maxValueBytes`, bound to no lease. */
  readonly value: string;
}

export type EngineEvent =
  /** The whole truth: what is not in it is gone. */
  | { readonly kind: "snapshot"; readonly entries: readonly EngineEntry[] }
  | ({ readonly kind: "put" } & EngineEntry)
  /** `wasRemoved`: somebody took it out, which nobody does for an announcer that died; false where it may have run out. */
  | { readonly kind: "delete"; readonly key: string; readonly wasRemoved: boolean }
  /**
   * Nothing is known until the next snapshot: the engine does not answer, or was replaced by one that knows nothing.
   * Once for each loss: attempts that fail after it are not told. Not for a connection that broke and was there again
   * at the first attempt, which is a `snapshot` at most. `MEDIUM_UNREACHABLE`, or `PERMISSION_DENIED` when the engine
   * refuses, with the place and the cause in the message.
   */
  | { readonly kind: "lost"; readonly error: DiscoveryError };

/** A signed record takes at most 16 KiB (`discovery-identity`), its key and signature the rest. */
export const maxValueBytes = 16_640;
/** As many values as a registry lists; an engine passes no more of them in one snapshot. */
export const maxEntries = 10_000;
