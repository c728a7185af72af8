import { createServer, type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { canonicalAddress, onAbort } from "@lmserv/discovery-core";
import { type WebSocket, WebSocketServer } from "ws";
import { AcceptQuota } from "./accept-quota.ts";
import { admit } from "./admission.ts";
import { channelBinding, minTlsVersion } from "./channel-binding.ts";
import { exposure, type Plain, type Protection } from "./exposure.ts";
import { listenerHandshake } from "./handshake.ts";
import type { Party } from "./introduction.ts";
import { meshSubprotocol } from "./mesh-url.ts";
import { type LinkHost, PeerLink } from "./peer-link.ts";
import { Refusal, type RefusalLedger } from "./refusal.ts";
import type { TokenBucket } from "./token-bucket.ts";
import { type HttpRefusal, requestRefusal, type UpgradePolicy, upgradeRefusal } from "./upgrade-gate.ts";
import { type Visitor, WaitingRoom } from "./waiting-room.ts";
import { webSocketOptions } from "./websocket-options.ts";

export interface DoorOptions {
  readonly party: Party;
  readonly host: LinkHost;
  readonly refusals: RefusalLedger;
  /** PEM of the certificate and its private key; without them connections are not encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** @default nobody but members */
  readonly policy?: UpgradePolicy;
  /** Where to take unencrypted connections. @default "private" */
  readonly plain?: Plain;
}

/** One connection on its way to be a link. */
interface Arrival {
  readonly visitor: Visitor;
  readonly bucket: TokenBucket;
  readonly remoteAddress: string;
}

export function protectionOf({ party, tls, plain = "private" }: DoorOptions): Protection {
  return { keyed: party.clusterKeys.length > 0, encrypted: tls !== undefined, plain };
}

/** Leads connections through TLS, HTTP and the handshake to a link, or out again. */
export class Door {
  readonly #options: DoorOptions;
  readonly #room: WaitingRoom;
  readonly #quota: AcceptQuota;
  readonly #arrivals = new WeakMap<Duplex, Arrival>();
  readonly #secureContext: SecureContext | null;
  /** Reads requests. It listens nowhere itself, so that one serves all addresses; its time-outs are the room's. */
  readonly #http = createServer();
  readonly #webSockets: WebSocketServer;

  constructor(options: DoorOptions) {
    const { clock, limits } = options.host;
    this.#options = options;
    this.#room = new WaitingRoom(clock, limits);
    this.#quota = new AcceptQuota(clock, { burst: limits.acceptBurst, perSecond: limits.acceptsPerSecond });
    this.#secureContext = options.tls
      ? createSecureContext({ ...options.tls, minVersion: minTlsVersion })
      : null;
    this.#webSockets = new WebSocketServer({
      ...webSocketOptions(limits),
      noServer: true,
      clientTracking: false,
      handleProtocols: () => meshSubprotocol,
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on("request", (request) => this.#turnAway(request.socket, requestRefusal(request)));
    this.#http.on("clientError", (error, socket) => {
      this.#count(new Refusal(this.#secureContext ? "tls" : "malformed", error.message, error), socket);
      socket.destroy();
    });
  }

  open(raw: Socket): void {
    // Whoever has to know listens for its end.
    raw.on("error", () => {});
    const remoteAddress = canonicalAddress(raw.remoteAddress ?? "");
    const bucket = this.#quota.bucket(remoteAddress);
    const refusal = bucket.take() ? this.#exposure(raw) : new Refusal("crowded", "it connects too often");
    if (refusal) {
      this.#count(refusal, raw);
      raw.destroy();
      return;
    }
    const visitor = this.#room.enter(raw, remoteAddress);
    onAbort(visitor.signal, () => this.#count(visitor.signal.reason, raw));
    const secureContext = this.#secureContext;
    const connection = secureContext ? new TLSSocket(raw, { isServer: true, secureContext }) : raw;
    this.#arrivals.set(connection, { visitor, bucket, remoteAddress });
    this.#http.emit("connection", connection);
  }

  shut(): void {
    this.#room.dismissAll();
    this.#webSockets.close();
  }

  /** On an address that stands for all, only a connection shows which one it came in on. */
  #exposure({ localAddress, localPort = 0, remoteAddress }: Socket): Refusal | null {
    const addresses = [localAddress, remoteAddress].map((address = "") => canonicalAddress(address));
    const reasons = addresses.map((address) => exposure(address, localPort, protectionOf(this.#options)));
    const reason = reasons.find((found) => found !== null);
    return reason ? new Refusal("exposed", reason) : null;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused = upgradeRefusal(request, this.#options.policy ?? { origins: [], hosts: [] });
    if (refused) return this.#turnAway(socket, refused);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#admit(webSocket, socket));
  }

  #admit(webSocket: WebSocket, connection: Duplex): void {
    const arrival = this.#arrivals.get(connection);
    if (!arrival) return webSocket.terminate();
    const { visitor, bucket, remoteAddress } = arrival;
    const { party, host } = this.#options;
    const channel = { binding: channelBinding(connection), remoteAddress };
    admit(webSocket, listenerHandshake(party, channel), {
      limits: host.limits,
      signal: visitor.signal,
      admitted: (admission) => {
        visitor.leave();
        bucket.giveBack();
        new PeerLink(webSocket, admission, { dialed: false, url: null, remoteAddress }, host);
      },
      refused: (refusal) => {
        if (!visitor.signal.aborted) this.#count(refusal, connection);
      },
    });
  }

  /** Answers with nothing but a status: whoever is no member learns nothing here. */
  #turnAway(connection: Duplex, { status, refusal }: HttpRefusal): void {
    this.#count(refusal, connection);
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n`;
    const upgrade = status === 426 ? "Upgrade: websocket\r\n" : "";
    connection.end(`${head}${upgrade}\r\n`, () => connection.destroy());
  }

  #count(refusal: unknown, connection: Duplex): void {
    const { host, refusals } = this.#options;
    if (!(refusal instanceof Refusal)) throw refusal;
    const { remoteAddress } = connection as Socket;
    refusals.add(refusal);
    host.log("debug", `a connection was refused: ${refusal.message}`, {
      reason: refusal.reason,
      remoteAddress,
    });
  }
}
