import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, STATUS_CODES } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { canonicalAddress, isIPv6, onAbort } from "@lmserv/discovery-core/transport";
import { isUnspecified } from "@lmserv/discovery-network";
import { type WebSocket, WebSocketServer } from "ws";
import { admit } from "./admission.ts";
import { channelBinding, minTlsVersion } from "./channel-binding.ts";
import { exposure, type Plain, type Protection } from "./exposure.ts";
import { listenerHandshake } from "./handshake.ts";
import type { Party } from "./handshake-hello.ts";
import { webSocketOptions } from "./limits.ts";
import type { ListenAddress } from "./listen-address.ts";
import { meshSubprotocol } from "./mesh-url.ts";
import { type LinkHost, PeerLink } from "./peer-link.ts";
import { type PendingHandshake, PendingHandshakes } from "./pending-handshakes.ts";
import { Refusal } from "./refusal.ts";
import { AcceptQuota, type TokenBucket } from "./token-bucket.ts";
import { type HttpRefusal, requestRefusal, upgradeRefusal } from "./upgrade-gate.ts";

export interface ListenOptions {
  readonly addresses: readonly ListenAddress[];
  readonly party: Party;
  readonly host: LinkHost;
  /** PEM of the certificate and its private key; without them connections are not encrypted. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where to take unencrypted connections. @default "private" */
  readonly plain?: Plain;
  /** Takes each connection that was refused. */
  readonly refused: (refusal: Refusal) => void;
  /** A socket listens no more; called once. */
  readonly failed: (error: Error) => void;
}

/** One connection on its way to be a link. */
interface Arrival {
  readonly pendingHandshake: PendingHandshake;
  readonly bucket: TokenBucket;
  readonly remoteAddress: string;
}

/**
 * Listens on every address, or on none.
 *
 * @throws {RangeError} for an address that needs more protection than there is, before any is taken; the
 *   system's error for one that cannot be had.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  for (const { host, port } of options.addresses) {
    const reason = exposure(host, port, protectionOf(options));
    if (reason !== null) throw new RangeError(reason);
  }
  const listener = new Listener(options);
  try {
    await listener.open();
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

/** Leads connections through TLS, HTTP and the handshake to a link, or out again. */
export class Listener {
  readonly #options: ListenOptions;
  readonly #room: PendingHandshakes;
  readonly #quota: AcceptQuota;
  readonly #arrivals = new WeakMap<Duplex, Arrival>();
  readonly #secureContext: SecureContext | null;
  readonly #servers: Server[] = [];
  /** With the ports that were taken. */
  readonly addresses: ListenAddress[] = [];
  /** Reads requests. It listens nowhere itself, so that one serves all addresses; its time-outs are the room's. */
  readonly #http = createHttpServer();
  readonly #webSockets: WebSocketServer;
  #isClosed = false;

  constructor(options: ListenOptions) {
    const { clock, limits } = options.host;
    this.#options = options;
    this.#room = new PendingHandshakes(clock, limits);
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

  /** @throws the system's error for an address that cannot be had. */
  async open(): Promise<void> {
    for (const { host, port } of this.#options.addresses) {
      const server = createServer((socket) => this.#accept(socket));
      server.listen({ host, port, ipv6Only: host === "::" });
      await once(server, "listening");
      server.on("error", (error) => this.#fail(error));
      this.#servers.push(server);
      this.addresses.push(addressOf(server));
    }
  }

  /** Finds out whether every socket still listens: the system tells of none that was shut down. */
  check(): void {
    for (const { host, port } of this.addresses) {
      const own = isUnspecified(host) ? (isIPv6(host) ? "::1" : "127.0.0.1") : host;
      // From the same address, so that another host that has it now cannot answer for this one.
      const probe = connect({ host: own, localAddress: own, port });
      probe.once("connect", () => probe.destroy());
      probe.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNREFUSED") this.#fail(error);
      });
    }
  }

  /** Ends the connections that are not links yet; links stay. */
  close(): void {
    this.#isClosed = true;
    this.#room.dismissAll();
    this.#webSockets.close();
    // A server ends with its last connection, which may be a link: nobody waits for that.
    for (const server of this.#servers) server.close();
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.failed(error);
  }

  #accept(raw: Socket): void {
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
    const pendingHandshake = this.#room.enter(raw, remoteAddress);
    onAbort(pendingHandshake.signal, () => this.#count(pendingHandshake.signal.reason, raw));
    const secureContext = this.#secureContext;
    const connection = secureContext ? new TLSSocket(raw, { isServer: true, secureContext }) : raw;
    this.#arrivals.set(connection, { pendingHandshake, bucket, remoteAddress });
    this.#http.emit("connection", connection);
  }

  /** On an address that stands for all, only a connection shows which one it came in on. */
  #exposure({ localAddress, localPort = 0, remoteAddress }: Socket): Refusal | null {
    const addresses = [localAddress, remoteAddress].map((address = "") => canonicalAddress(address));
    const reasons = addresses.map((address) => exposure(address, localPort, protectionOf(this.#options)));
    const reason = reasons.find((found) => found !== null);
    return reason ? new Refusal("exposed", reason) : null;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refused = upgradeRefusal(request);
    if (refused) return this.#turnAway(socket, refused);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#admit(webSocket, socket));
  }

  #admit(webSocket: WebSocket, connection: Duplex): void {
    const arrival = this.#arrivals.get(connection);
    if (!arrival) return webSocket.terminate();
    const { pendingHandshake, bucket, remoteAddress } = arrival;
    const { party, host } = this.#options;
    const channel = { binding: channelBinding(connection), remoteAddress };
    admit(webSocket, listenerHandshake(party, channel), {
      limits: host.limits,
      signal: pendingHandshake.signal,
      admitted: (admission) => {
        pendingHandshake.leave();
        bucket.giveBack();
        new PeerLink(webSocket, admission, { dialed: false, url: null, remoteAddress }, host);
      },
      refused: (refusal) => {
        if (!pendingHandshake.signal.aborted) this.#count(refusal, connection);
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
    if (!(refusal instanceof Refusal)) throw refusal;
    const { host, refused } = this.#options;
    const { reason, message } = refusal;
    refused(refusal);
    const { remoteAddress } = connection as Socket;
    host.log("debug", `a connection was refused: ${message}`, { reason, remoteAddress });
  }
}

function protectionOf({ party, tls, plain = "private" }: ListenOptions): Protection {
  return { keyed: party.clusterKeys.length > 0, encrypted: tls !== undefined, plain };
}

function addressOf(server: Server): ListenAddress {
  const { address, port } = server.address() as AddressInfo; // Of a server that listens on a port.
  return { host: address, port };
}
