import type { ResolvedAnnouncement, Transport, TransportContext } from "@lmserv/discovery-core/transport";

/**
 * Medium for checking a transport against the rules; every rule gets a fresh one.
 *
 * Its actions on the medium must not pass through the transport under test, or the rules prove nothing.
 */
export interface Fixture extends AsyncDisposable {
  /** Makes the transport under test for one host; each call is another host on the same medium. */
  transport(): Transport;
  /** Context of the hosts, whose clock `advance` moves. */
  context(): TransportContext;
  /**
   * Puts a node of an independent host on the medium, or changes it.
   *
   * The node keeps answering as the medium demands. The `port` tells nodes apart.
   */
  appear(node: ResolvedAnnouncement): Promise<void>;
  /** Removes the node without a goodbye, as a crash does. */
  disappear(node: ResolvedAnnouncement): Promise<void>;
  /** Count of messages that the transports under test have sent. */
  sent(): number;
  /**
   * Lets `ms` pass and messages under way arrive; with 0, only the latter.
   *
   * A fixture with a virtual clock moves it; one with sockets waits (for 0: as long as a message takes).
   */
  advance(ms: number): Promise<void>;
  /** Bound on the nodes of a session, set low to save time. */
  readonly maxNodes: number;
  /** The `ttlMs` of browses, in ms; some rules wait for several times that. @default 60_000 */
  readonly ttlMs?: number;
  /** Upper deadline for an event, in ms. @default 15_000 */
  readonly patienceMs?: number;
  /** Hostile input, one piece at each call. Without it, "hostile-input" must be skipped. */
  hostile?(): Iterable<() => void | Promise<void>>;
  /**
   * Takes the medium away from all its users until `restore`: the last interface, the listener, the store's
   * process, the table. Without both, the rules of failure must be skipped.
   */
  fail?(): Promise<void>;
  /** Gives the medium back, with or without its content: new sessions can use it. */
  restore?(): Promise<void>;
}

/** Declared capabilities of a transport. */
export interface Capabilities {
  readonly announces: boolean;
  readonly reconfirms: boolean;
  /** True if a session survives the death of its medium, as those of `supervise` do. @default false */
  readonly supervised?: boolean;
}
