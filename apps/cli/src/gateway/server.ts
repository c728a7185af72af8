import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import type { RequestHandler } from "@lmserv/discovery-gateway";
import type { ListenAddress } from "./listen-address.ts";

/** Limits of one connection, in bytes and ms. */
export interface ConnectionLimits {
  readonly maxHeaderSize: number;
  /** Limit for complete headers. */
  readonly headersTimeout: number;
  /** Limit for a complete body. */
  readonly requestTimeout: number;
  /** Limit between two requests. */
  readonly keepAliveTimeout: number;
  /** Interval of enforcing these limits. */
  readonly connectionsCheckingInterval: number;
}

export const connectionLimits: ConnectionLimits = {
  maxHeaderSize: 65_536,
  headersTimeout: 10_000,
  // Enough for 64 MiB over a slow Wi-Fi.
  requestTimeout: 300_000,
  // Clients in Go keep idle connections for 90 s: none should end in the middle of a request.
  keepAliveTimeout: 95_000,
  connectionsCheckingInterval: 5_000,
};
/** Streams of a busy household; each takes a descriptor here and one at a node. */
const maxConnections = 1_024;

/** Time for answers under way once the command was told to end, in ms. */
const drainMs = 30_000;

/** An endpoint that listens. */
export interface GatewayServer {
  readonly port: number;
  /** Takes no more requests; resolves when those under way have ended, which they do when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

/** Listens at one address; rejects with the system's error. */
export type ListenGateway = (
  handler: RequestHandler,
  address: ListenAddress,
  limits?: ConnectionLimits,
) => Promise<GatewayServer>;

export const listenGateway: ListenGateway = async (handler, { address, port }, limits = connectionLimits) => {
  const server = createServer({ ...limits }, (request, response) => void handler.handle(request, response));
  server.maxConnections = maxConnections;
  server.on("upgrade", (request, socket) => handler.refuseUpgrade(request, socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: true }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { port: bound.port, drain: (signal) => drain(server, signal) };
};

/** Lets answers under way end. */
export async function drainAll(servers: readonly GatewayServer[], clock: Clock): Promise<void> {
  const ending = new AbortController();
  const cancel = clock.schedule(drainMs, () => ending.abort());
  await Promise.all(servers.map((server) => server.drain(ending.signal)));
  cancel();
}

function drain(server: Server, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    if (signal.aborted) server.closeAllConnections();
    else onAbort(signal, () => server.closeAllConnections());
  });
}
