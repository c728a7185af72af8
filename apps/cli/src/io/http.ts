import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import { canonicalAddress } from "@lmserv/discovery-core/transport";
import { ConnectionSlots } from "@lmserv/discovery-network";
import { turnAway } from "./request-gate.ts";

/** Answers a request; returns false for a foreign one. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface Endpoint {
  /** Null for every address of the machine. */
  readonly address: string | null;
  readonly port: number;
}

/** Serves until the result is disposed of; rejects if it cannot listen. */
export type Listen = (handle: Handle, endpoint: Endpoint) => Promise<AsyncDisposable>;

/** Searchers send one question and leave: unknown hosts get no more room and time than that takes. */
const defaultLimits: ServerOptions = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 2_000,
  connectionsCheckingInterval: 1_000,
};
/** A question takes a moment: eight at once are many for one host. */
const connectionLimits = { all: 64, each: 8 };
const maxRequestsPerConnection = 16;

/** Listens for HTTP questions without a body; requests that the handler refuses get 404. */
export async function listenHttp(
  handle: Handle,
  { address, port }: Endpoint,
  limits: ServerOptions = defaultLimits,
): Promise<AsyncDisposable> {
  const server = createServer(limits, (request, response) => {
    if (turnAway(request, response, hostname()) || handle(request, response)) return;
    response.writeHead(404, { "content-length": 0 }).end();
  });
  server.maxRequestsPerSocket = maxRequestsPerConnection;
  const taken = new ConnectionSlots(connectionLimits);
  server.on("connection", (socket) => {
    const leave = taken.take(canonicalAddress(socket.remoteAddress ?? ""), () => socket.destroy());
    socket.once("close", leave);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Without a host: every address of either family, or of the machine's only one.
    server.listen({ port, ...(address !== null && { host: address }) }, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
