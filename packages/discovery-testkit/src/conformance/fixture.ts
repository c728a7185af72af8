import type { ResolvedAnnouncement, Transport, TransportContext } from "@lmserv/discovery-core/transport";

/**
 * A medium to hold a transport against the rules on; every rule gets a fresh one.
 *
 * What it does to the medium must not pass through the transport under test, or the rules prove nothing.
 */
export interface Fixture extends AsyncDisposable {
  /** The transport under test as one host would make it; each call is another host on the same medium. */
  transport(): Transport;
  /** What hosts open it with; the clock is the one that `advance` moves. */
  context(): TransportContext;
  /**
   * Puts a node of an independent host on the medium, or changes it, and keeps it answering as the medium
   * demands. Nodes are told apart by their `port`.
   */
  appear(node: ResolvedAnnouncement): Promise<void>;
  /** Takes it off without a goodbye, as a crash does. */
  disappear(node: ResolvedAnnouncement): Promise<void>;
  /** How many messages the transports under test have sent so far. */
  sent(): number;
  /**
   * Lets `ms` go by, and whatever is under way arrive: with 0, only the latter.
   *
   * A fixture with a virtual clock moves it, one with sockets waits (for 0: as long as a message takes).
   */
  advance(ms: number): Promise<void>;
  /** How many nodes a session keeps track of at most: a bound of the transport, set low to spare time. */
  readonly maxNodes: number;
  /** What rules browse with, in ms; some wait for several times that. @default 60_000 */
  readonly ttlMs?: number;
  /** How long rules wait for what must happen, in ms. @default 15_000 */
  readonly patienceMs?: number;
  /** What no decent host would send, one piece at each call. Without it, "hostile-input" must be skipped. */
  hostile?(): Iterable<() => void | Promise<void>>;
  /**
   * Takes the medium away from under all who use it, for good until `restore`: the last interface, the listener, the
   * store's process, the table. Without both, the rules of failure must be skipped.
   */
  fail?(): Promise<void>;
  /** Gives the medium back, with or without what it kept: sessions that are opened from now on can use it. */
  restore?(): Promise<void>;
}

/** What the author of a transport declares of it. */
export interface Capabilities {
  readonly announces: boolean;
  readonly reconfirms: boolean;
  /** Whether a session goes on when its medium dies, as those of `supervise` do. @default false */
  readonly supervised?: boolean;
}
