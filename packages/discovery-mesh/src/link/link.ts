/** What a peer says of itself, and proves, when a link begins. */
export interface PeerHello {
  /** `idOf(publicKey)`: checked before anybody sees it. */
  readonly id: string;
  readonly publicKey: string;
  /** Which start of the node this is: greater at each one. */
  readonly epoch: number;
  /** Random, another one for each process. */
  readonly instance: string;
  /** Observers listen; they are neither dialled nor told of to others. */
  readonly role: "member" | "observer";
  /** Where it says it can be dialled: at most 8 valid `ws://` and `wss://` URLs, none of them tried. */
  readonly advertise: readonly string[];
}

/** Why one side ends a link: the other learns it. */
export type LinkClose =
  /** It leaves the mesh; what is queued gets up to 500 ms to go out, with all other reasons none. */
  | "leaving"
  /** Another link to the same peer stays. */
  | "duplicate"
  /** A later start of the same peer has a link. */
  | "superseded"
  /** Somebody else has the peer's identity, or the peer has ours. */
  | "conflict"
  /** There is no room for another member. */
  | "full"
  /** What came is no message of this protocol. */
  | "protocol";

/** How a link ended, whoever ended it; `detail` is for people. */
export type LinkEnd =
  /** In order, for a reason that one side gave; `unknown` is a reason that we do not know. */
  | { readonly kind: "closed"; readonly code: LinkClose | "unknown"; readonly remote: boolean }
  /** The connection broke: the process ended, or something on the way did. */
  | { readonly kind: "reset"; readonly detail?: string }
  /** The peer left two pings without an answer, though this process was there to hear it. */
  | { readonly kind: "silent"; readonly detail?: string }
  /** The peer takes what it is sent too slowly. */
  | { readonly kind: "evicted"; readonly detail?: string }
  /** The peer broke the protocol, or sent more than anybody may. */
  | { readonly kind: "protocol"; readonly detail?: string };

/** An authenticated connection to another member; at most one open per pair survives. */
export interface Link {
  readonly peer: PeerHello;
  /** Whether this side dialled. */
  readonly dialed: boolean;
  /** What was dialled, or null. */
  readonly url: string | null;
  /** The peer's address as seen here. */
  readonly remoteAddress: string;
  /** Our own address as the peer saw it, or null when it did not tell. */
  readonly observedAddress: string | null;
  /** When anything came from the peer last, on our clock. */
  readonly heardMs: number;
  /** Queues a message; of those with one key that wait, the last is sent. Bounded; never throws. */
  send(message: string, coalesceKey?: string): void;
  /** Ends the link and resolves when it has ended; `closed` is called then. */
  close(code: LinkClose): Promise<void>;
  /** Breaks the connection without a word, as a crash does; the peer sees a reset. */
  terminate(): void;
}

/** What a link calls back; nothing more after `closed`. */
export interface LinkEvents {
  /** A text frame: valid UTF-8, bounded in size and rate. Close with "protocol" what is not JSON. */
  message(text: string): void;
  closed(end: LinkEnd): void;
}

/** Takes a new link over in the turn in which it came to be, so that no message is missed. */
export type LinkHandler = (link: Link) => LinkEvents;

/** Close codes of WebSocket (RFC 6455 section 7.4): 1001 is "going away"; those from 4000 on are private. */
const codes: Readonly<Record<LinkClose, number>> = {
  leaving: 1_001,
  protocol: 1_002,
  duplicate: 4_409,
  superseded: 4_410,
  conflict: 4_411,
  full: 4_503,
};

/** What a WebSocket says by itself: wrong frames, types, UTF-8, sizes, too much. */
const protocolCodes: readonly number[] = [1_002, 1_003, 1_007, 1_008, 1_009];

export function closeCode(reason: LinkClose): number {
  return codes[reason];
}

/** What a close code of the peer's means. */
export function closeReason(code: number): LinkClose | "unknown" {
  for (const reason of Object.keys(codes) as LinkClose[]) if (codes[reason] === code) return reason;
  return protocolCodes.includes(code) ? "protocol" : "unknown";
}
