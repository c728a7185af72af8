import type { Log } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import type { RawData, WebSocket } from "ws";
import type { Admission } from "./handshake.ts";
import { Heartbeat, type PingSchedule } from "./heartbeat.ts";
import type { LinkLimits } from "./limits.ts";
import {
  closeCode,
  closeReason,
  type Link,
  type LinkClose,
  type LinkEnd,
  type LinkEvents,
  type LinkHandler,
  type PeerHello,
} from "./link.ts";
import { SendQueue } from "./send-queue.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What links need of their host. */
export interface LinkHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: LinkLimits;
  /** That of all its links. */
  readonly pings: PingSchedule;
  readonly handler: LinkHandler;
}

/** How a link came to be. */
export interface LinkOrigin {
  readonly dialed: boolean;
  readonly url: string | null;
  readonly remoteAddress: string;
}

/** A frame counts once, and once more for each of these. */
const bytesPerToken = 4_096;
/** RFC 6455 section 7.4.1. */
const codes = { unsupported: 1_003, lost: 1_006 };

/** Makes a link of a WebSocket whose handshake is over, and hands it on. */
export class PeerLink implements Link {
  readonly peer: PeerHello;
  readonly dialed: boolean;
  readonly url: string | null;
  readonly remoteAddress: string;
  readonly observedAddress: string | null;
  readonly #socket: WebSocket;
  readonly #host: LinkHost;
  readonly #sendQueue: SendQueue;
  readonly #heartbeat: Heartbeat;
  readonly #intake: TokenBucket;
  readonly #gone: Promise<void>;
  readonly #events: LinkEvents;
  /** Set as soon as it is decided; told when the connection is gone. */
  #end: LinkEnd | null = null;

  constructor(socket: WebSocket, admission: Admission, origin: LinkOrigin, host: LinkHost) {
    const { clock, limits, pings } = host;
    this.peer = admission.peer;
    this.observedAddress = admission.observedAddress;
    this.dialed = origin.dialed;
    this.url = origin.url;
    this.remoteAddress = origin.remoteAddress;
    this.#socket = socket;
    this.#host = host;
    this.#intake = new TokenBucket(clock, { burst: limits.frameBurst, perSecond: limits.framesPerSecond });
    this.#sendQueue = new SendQueue({
      clock,
      limits,
      pipe: {
        get bufferedAmount() {
          return socket.bufferedAmount;
        },
        send: (message, sent) => socket.send(message, sent),
      },
      overflow: (detail) => this.#cut({ kind: "evicted", detail }),
    });
    this.#heartbeat = new Heartbeat({
      clock,
      limits,
      pings,
      leads: origin.dialed,
      ping: (sent) => socket.ping("", undefined, this.#sendQueue.sending(sent)),
      silent: () =>
        this.#cut({ kind: "silent", detail: `no answer to a ping in ${limits.pongMs} ms, twice` }),
    });
    const { keyIndex, peer } = admission;
    if (keyIndex > 0) host.log("info", "a peer proves an older cluster key", { peer: peer.id, keyIndex });
    this.#gone = this.#listen();
    this.#events = host.handler(this);
  }

  get heardMs(): number {
    return this.#heartbeat.heardMs;
  }

  send(message: string, coalesceKey?: string): void {
    if (this.#end === null) this.#sendQueue.send(message, coalesceKey);
  }

  close(code: LinkClose): Promise<void> {
    if (this.#end === null) {
      this.#decide({ kind: "closed", code, remote: false });
      if (code === "leaving") this.#flush().then(() => this.#finish(code));
      else this.#finish(code);
    }
    return this.#gone;
  }

  terminate(): void {
    this.#cut({ kind: "reset" });
  }

  /** Resolves when the connection is gone and everybody knows. */
  #listen(): Promise<void> {
    const socket = this.#socket;
    socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    socket.on("ping", (data) => this.#admits(data.length));
    socket.on("pong", (data) => this.#admits(data.length));
    socket.on("error", (error) => this.#decide(endOfError(error)));
    return new Promise((resolve) => {
      socket.on("close", (code) => {
        this.#decide(endOfCode(code));
        if (this.#end) this.#events.closed(this.#end);
        resolve();
      });
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!Buffer.isBuffer(data) || !this.#admits(data.length)) return;
    if (!isBinary) return this.#events.message(data.toString());
    this.#decide({ kind: "protocol", detail: "a binary message" });
    this.#socket.close(codes.unsupported);
  }

  /** Whether a frame of the peer's is still looked at. */
  #admits(bytes: number): boolean {
    if (this.#end !== null) return false;
    this.#heartbeat.heard();
    if (this.#intake.take(1 + bytes / bytesPerToken)) return true;
    const { frameBurst, framesPerSecond } = this.#host.limits;
    const detail = `more than ${frameBurst} frames at once or ${framesPerSecond} a second`;
    this.#cut({ kind: "protocol", detail });
    return false;
  }

  #cut(end: LinkEnd): void {
    this.#decide(end);
    this.#socket.terminate();
  }

  #decide(end: LinkEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#heartbeat.stop();
    if (end.kind !== "closed" || end.code !== "leaving") this.#sendQueue.drop();
  }

  async #flush(): Promise<void> {
    const { clock, limits } = this.#host;
    const late = new Promise<void>((resolve) => {
      const cancel = clock.schedule(limits.flushMs, resolve);
      this.#gone.then(cancel);
    });
    await Promise.race([this.#sendQueue.emptied(), late, this.#gone]);
  }

  /** A peer that does not answer the close frame is not waited for any longer than for the flush. */
  #finish(code: LinkClose): void {
    const { clock, limits } = this.#host;
    this.#sendQueue.drop();
    this.#socket.close(closeCode(code));
    const cancel = clock.schedule(limits.flushMs, () => this.#socket.terminate());
    this.#gone.then(cancel);
  }
}

function endOfError(error: Error): LinkEnd {
  const isProtocol = "code" in error && String(error.code).startsWith("WS_ERR");
  return { kind: isProtocol ? "protocol" : "reset", detail: error.message };
}

function endOfCode(code: number): LinkEnd {
  return code === codes.lost ? { kind: "reset" } : { kind: "closed", code: closeReason(code), remote: true };
}
