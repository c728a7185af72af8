import type { ServerOptions } from "ws";

/** Every bound of a link, with its default in `defaultLimits`. */
export interface LinkLimits {
  /** From the first byte of a connection to the end of its handshake. */
  readonly admissionMs: number;
  /** Connections that have not proven anything yet. */
  readonly maxUnadmitted: number;
  /** New connections from one address: at once, and per second after that. */
  readonly acceptBurst: number;
  readonly acceptsPerSecond: number;
  /** From the name to a connected socket, however many addresses it has. */
  readonly dialMs: number;
  /** The longest handshake message: an introduction with all its URLs has room. */
  readonly maxHandshakeChars: number;
  readonly pingIntervalMs: number;
  /** From a ping on its way to any frame of the peer's. */
  readonly pongMs: number;
  /** How much a socket holds before messages wait, where they coalesce. */
  readonly holdBytes: number;
  /** How much waits altogether before the peer is given up. */
  readonly evictBytes: number;
  /** How long a socket takes nothing before the peer is given up. */
  readonly stallMs: number;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  /** Answers to pings that the peer has not taken. */
  readonly maxPendingPongs: number;
  /** Frames of the peer: at once, and per second after that; one counts once more for every 4 KiB. */
  readonly frameBurst: number;
  readonly framesPerSecond: number;
  /** What is queued when we leave. */
  readonly flushMs: number;
  /** From our close frame to the peer's. */
  readonly closeMs: number;
}

export const defaultLimits: LinkLimits = {
  admissionMs: 5_000,
  maxUnadmitted: 64,
  // A host with 64 members may start them all; who proves itself gives its token back.
  acceptBurst: 64,
  acceptsPerSecond: 16,
  dialMs: 5_000,
  maxHandshakeChars: 4_096,
  pingIntervalMs: 5_000,
  pongMs: 2_000,
  holdBytes: 256 * 1_024,
  evictBytes: 1_024 * 1_024,
  stallMs: 10_000,
  maxMessageBytes: 64 * 1_024,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  maxPendingPongs: 16,
  // A full mesh of 256 members tells a newcomer of them all at once.
  frameBurst: 1_024,
  framesPerSecond: 128,
  flushMs: 500,
  closeMs: 2_000,
};

/** Those that both sides have; the last two are not in the library's types. */
export interface WebSocketOptions
  extends Pick<ServerOptions, "perMessageDeflate" | "maxPayload" | "maxFragments" | "maxBufferedChunks"> {
  readonly maxPendingAutoPongs: number;
  readonly closeTimeout: number;
}

/** What both sides set: the library's own limits are those of a general purpose. */
export function webSocketOptions(limits: LinkLimits): WebSocketOptions {
  return {
    // It would take 256 KiB for each link, and lets small frames grow.
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: limits.maxFragments,
    maxBufferedChunks: limits.maxBufferedChunks,
    maxPendingAutoPongs: limits.maxPendingPongs,
    closeTimeout: limits.closeMs,
  };
}
