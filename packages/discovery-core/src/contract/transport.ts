import type { Clock } from "../time/clock.ts";
import type { Check, DiagnosisContext } from "./diagnosis.ts";
import type { DiscoveryError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Announcement, NodeInfo, SeenNode } from "./node.ts";
import type { RegistryChange } from "./registry-change.ts";

/**
 * A way of learning of, and perhaps announcing, nodes.
 *
 * Making one does nothing: it holds options until it is opened, and may be opened more than once.
 */
export interface Transport {
  /** Stable lower-case id; becomes `via` and `sources[].transport`; unique in a composition. */
  readonly name: string;
  /**
   * Takes the resources that the medium needs and resolves when it can be used.
   *
   * @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when this host cannot run it, with the cause;
   *   `MEDIUM_UNREACHABLE`, `PERMISSION_DENIED`, `ADDRESS_IN_USE`. `signal.reason` itself when aborted.
   */
  open(context: TransportContext, options: Cancellable): Promise<TransportSession>;
  /**
   * Looks for what keeps the transport from working on this machine; ends by itself within some seconds.
   *
   * Works without `open`, also where `open` fails, and leaves nothing open. What is wrong is a check, not an
   * error; only an abort rejects, with `signal.reason` itself. Absent when there is nothing to look at.
   */
  diagnose?(context: DiagnosisContext, options: Cancellable): AsyncIterable<Check>;
}

/**
 * Owns every resource of one open transport. Disposal is idempotent and ends all iterations.
 *
 * A session whose medium died fails at once and for good: each browse throws, or, where there is none, `report` gets
 * `TRANSPORT_FAILED`. Its registrations are void, and its disposal says no goodbye and revokes nothing. It never
 * re-opens by itself, which is for `supervise`; what heals within it is smaller than the session: one interface, one link.
 */
export interface TransportSession extends AsyncDisposable {
  /**
   * Reports the nodes on the medium for as long as it is iterated; an observation may repeat.
   *
   * Cold: nothing is sent before the first `next()`. Three endings: `break` settles, an abort rejects
   * with `signal.reason` itself, disposal of the session returns. Browses are independent of each other.
   *
   * @throws {DiscoveryError} `TRANSPORT_FAILED` from `next()` when the medium dies, with the cause.
   */
  browse(query: BrowseQuery, options: Cancellable): AsyncIterable<Observation>;
  /**
   * Makes a node known and resolves when the medium accepted it.
   *
   * Disposing the result says goodbye, and so does disposing the session for whatever still stands, unless the medium
   * died. A chosen name that is taken becomes another, and `report` gets `NAME_CONFLICT`; where names may repeat, it
   * stays. Absent when the medium cannot announce.
   *
   * @throws {DiscoveryError} `TRANSPORT_FAILED`.
   */
  readonly announce?: (node: ResolvedAnnouncement, options: Cancellable) => Promise<Registration>;
  /**
   * Asks the medium again for a node that somebody doubts; the outcome arrives as observations.
   *
   * Resolves when the question left. A key that the session does not know is ignored. Absent when
   * the medium cannot be asked.
   */
  readonly reconfirm?: (key: string, options: Cancellable) => Promise<void>;
  /**
   * What every announcement of the same discovery carries, on whichever medium, so that who finds the node there
   * can find it here as well. Read at each announcement; what the announcement itself says goes first.
   *
   * @default nothing
   */
  readonly attributes?: Readonly<Record<string, string>>;
  /**
   * How long after the opening the medium may not yet report a node that is there, in ms, at least 0.
   *
   * mDNS: two question intervals. A store: one lifetime, in which announcers write anew what it lost. Infinity while
   * the session has less of the medium than the one before: it settles again once it has all of it.
   *
   * @default 0
   */
  readonly absenceMs?: number;
}

/** A node that a medium was told of. Disposal says goodbye. */
export interface Registration extends AsyncDisposable {
  /** Says other things of the same node, under the same identity and without a goodbye. */
  update(node: ResolvedAnnouncement, options: Cancellable): Promise<void>;
}

/** An announcement that was validated and has its identity. */
export type ResolvedAnnouncement = Announcement & { readonly id: string; readonly info: string };

export interface Cancellable {
  readonly signal: AbortSignal;
}

/** What a transport gets from its host. */
export interface TransportContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** What the registry knows, read-only. */
  readonly nodes: NodeView;
  /**
   * Calls back with `up` for each listed node and then with every change, until the result is called; has all
   * transports browsed. For who finds more by what others found; to be called once something is asked of the session.
   * Absent where the transport is the only one.
   */
  readonly follow?: (onChange: (change: RegistryChange) => void) => () => void;
  /** Takes faults outside any browse; they become warnings. `TRANSPORT_FAILED` says that the session is dead. */
  readonly report: (error: DiscoveryError) => void;
}

export interface NodeView {
  listAlive(): readonly NodeInfo[];
}

export interface BrowseQuery {
  /** How often, at least, a node must be confirmed, in ms, 1_000..86_400_000. @default 60_000 */
  readonly ttlMs: number;
}

/** One report by one transport; may repeat. `key` is the transport's own name of what it saw. */
export type Observation = Alive | Gone | Settled | Lost | Recovered;

export interface Alive {
  readonly kind: "alive";
  readonly via: string;
  readonly key: string;
  readonly node: SeenNode;
  /**
   * Whose word it is, as the medium tells: the address that a packet came from, the id of a member or key.
   *
   * What one origin tells has a share of a full registry, so that nobody's flood keeps others out.
   */
  readonly origin: string;
  /**
   * When the node itself was heard last, by a packet, a link or an answer, in ms of the context's clock; null where only
   * others tell of it, as a store does. Without it no address proves where the node is, whatever its `reach`.
   */
  readonly heardMs: number | null;
  /**
   * How long this holds without another report, in ms, > 0.
   *
   * @default until `gone`, or until the transport is lost
   */
  readonly ttlMs?: number;
  /** Whether the report came by way of another node, for want of a connection to this one. @default false */
  readonly relayed?: boolean;
  /** Whether the transport knows by itself that the server is one of this machine. @default false */
  readonly own?: boolean;
}

export interface Gone {
  readonly kind: "gone";
  readonly via: string;
  readonly key: string;
  readonly reason: "goodbye" | "unreachable";
}

/** The first pass over the medium is done: whoever is there had the time to answer. */
export interface Settled {
  readonly kind: "settled";
  readonly via: string;
}

/**
 * The transport has no session: what it reported is no longer confirmed. Emitted by `supervise` only.
 *
 * A second one may follow without `recovered` in between.
 */
export interface Lost {
  readonly kind: "lost";
  readonly via: string;
  readonly error: DiscoveryError;
}

/**
 * The transport has a session again. Emitted by `supervise` only, before that session's observations.
 *
 * Its `settled` says that whatever was not reported since is gone.
 */
export interface Recovered {
  readonly kind: "recovered";
  readonly via: string;
}
