import type { Clock } from "../time/clock.ts";
import type { Check, DiagnosisContext } from "./diagnosis.ts";
import type { DiscoveryError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { Announcement, NodeInfo, SeenNode } from "./node.ts";
import type { RegistryChange } from "./registry-change.ts";

/**
 * Medium of finding, and perhaps announcing, nodes.
 *
 * Making one does nothing: it holds options until it is opened, and may be opened more than once.
 */
export interface Transport {
  /** Stable lower-case id; becomes `via` and `sources[].transport`; unique in a composition. */
  readonly name: string;
  /**
   * Takes the resources that the medium needs and resolves once it is usable.
   *
   * @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when this host cannot run it, with the cause;
   * `MEDIUM_UNREACHABLE`, `PERMISSION_DENIED`, `ADDRESS_IN_USE`. `signal.reason` itself when aborted.
   */
  open(context: TransportContext, options: Cancellable): Promise<TransportSession>;
  /**
   * Examines what keeps the transport from working on this machine; ends by itself within some seconds.
   *
   * Works without `open`, even if `open` fails, and leaves nothing open. A fault is a check, not an error;
   * only an abort rejects, with `signal.reason` itself. Absent if there is nothing to examine.
   */
  diagnose?(context: DiagnosisContext, options: Cancellable): AsyncIterable<Check>;
}

/**
 * Open transport, which owns every resource that it uses. Disposal is idempotent and ends all iterations.
 *
 * A session whose medium died fails at once and for good: each browse throws, or, without a browse, `report`
 * gets `TRANSPORT_FAILED`. Its registrations are void, and its disposal says no goodbye and revokes nothing.
 * It never re-opens by itself, which is for `supervise`. It repairs only smaller parts: one interface, one
 * link.
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
   * Announces a node and resolves when the medium accepted it.
   *
   * Disposing the result says goodbye. Disposing the session does so for all remaining ones, unless the
   * medium died. If a chosen name is taken, another is used and `report` gets `NAME_CONFLICT`; on media with
   * repeatable names it stays. Absent if the medium cannot announce.
   *
   * @throws {DiscoveryError} `TRANSPORT_FAILED`.
   */
  readonly announce?: (node: ResolvedAnnouncement, options: Cancellable) => Promise<Registration>;
  /**
   * Asks the medium again for a doubted node; the outcome arrives as observations.
   *
   * Resolves when the question was sent. An unknown key is ignored. Absent if the medium cannot be asked.
   */
  readonly reconfirm?: (key: string, options: Cancellable) => Promise<void>;
  /**
   * Attributes for every announcement of the same discovery, on any medium: they lead from there to this
   * medium.
   *
   * Read at each announcement, whose own values take precedence.
   *
   * @default none
   */
  readonly attributes?: Readonly<Record<string, string>>;
  /**
   * Time after the opening in which the medium may not yet report a present node, in ms, at least 0.
   *
   * mDNS: two question intervals. A store: one lifetime, in which announcers restore lost values. Infinity
   * while the session has less of the medium than the one before: it settles again once it has all of it.
   *
   * @default 0
   */
  readonly absenceMs?: number;
}

/** Node announced on a medium. Disposal says goodbye. */
export interface Registration extends AsyncDisposable {
  /** Changes the node's description, under the same identity and without a goodbye. */
  update(node: ResolvedAnnouncement, options: Cancellable): Promise<void>;
}

/** Validated announcement with its identity. */
export type ResolvedAnnouncement = Announcement & { readonly id: string; readonly info: string };

export interface Cancellable {
  readonly signal: AbortSignal;
}

/** Services of the host for a transport. */
export interface TransportContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** Read-only view of the registry. */
  readonly nodes: NodeView;
  /**
   * Calls back with `up` for each listed node and then with every change; returns the function that ends it.
   *
   * Browses all transports. It serves transports that ask nodes of others; call it once the session is in
   * use. Absent if the transport is the only one.
   */
  readonly follow?: (onChange: (change: RegistryChange) => void) => () => void;
  /**
   * Receives faults outside any browse, which become warnings. `TRANSPORT_FAILED` means that the session is
   * dead.
   */
  readonly report: (error: DiscoveryError) => void;
}

export interface NodeView {
  listAlive(): readonly NodeInfo[];
}

export interface BrowseQuery {
  /** Longest time between two confirmations of a node, in ms, 1_000..86_400_000. @default 60_000 */
  readonly ttlMs: number;
}

/** Report of one transport; may repeat. `key` is the transport's own name of the object. */
export type Observation = Alive | Gone | Settled | Lost | Recovered;

export interface Alive {
  readonly kind: "alive";
  readonly via: string;
  readonly key: string;
  readonly node: SeenNode;
  /**
   * Origin of the report as the medium tells: the source address of a packet, the id of a member or key.
   *
   * Each origin has a share of a full registry, so that no flood keeps others out.
   */
  readonly origin: string;
  /**
   * Time at which the node itself was last heard, in ms of the context's clock.
   *
   * A packet, a link or an answer counts. Null if only others report it, as a store does. Without it no
   * address proves the node's place, whatever its `reach`.
   */
  readonly heardMs: number | null;
  /**
   * Lifetime without another report in ms, > 0.
   *
   * @default until `gone`, or until the transport is lost
   */
  readonly ttlMs?: number;
  /** True if the report came by way of another node, for want of a connection to this one. @default false */
  readonly relayed?: boolean;
  /** True if the transport itself knows that the server is on this machine. @default false */
  readonly own?: boolean;
}

export interface Gone {
  readonly kind: "gone";
  readonly via: string;
  readonly key: string;
  readonly reason: "goodbye" | "unreachable";
}

/** End of the first pass over the medium: every present node had the time to answer. */
export interface Settled {
  readonly kind: "settled";
  readonly via: string;
}

/**
 * Loss of the transport's session: its reports are no longer confirmed. Emitted by `supervise` only.
 *
 * Another may follow without `recovered` in between.
 */
export interface Lost {
  readonly kind: "lost";
  readonly via: string;
  readonly error: DiscoveryError;
}

/**
 * New session of the transport. Emitted by `supervise` only, before that session's observations.
 *
 * Its `settled` means that all nodes not reported since are gone.
 */
export interface Recovered {
  readonly kind: "recovered";
  readonly via: string;
}
