import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Answers a request, or tells by false that it was not for it. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface Endpoint {
  /** Null for every address of the machine. */
  readonly address: string | null;
  readonly port: number;
}

/** Serves until the result is disposed of; rejects when the endpoint cannot be had. */
export type Listen = (handle: Handle, endpoint: Endpoint) => Promise<AsyncDisposable>;

/** Those who look ask one question and leave: strangers get no more room and time than that takes. */
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 2_000,
  connectionsCheckingInterval: 1_000,
};
const maxConnections = 64;

/** Listens for HTTP; what the handler leaves is not found. */
export const listenHttp: Listen = async (handle, { address, port }) => {
  const server = createServer(limits, (request, response) => {
    if (!handle(request, response)) response.writeHead(404, { "content-length": 0 }).end();
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Without a host: every address of either family, or of the only one that the machine has.
    server.listen({ port, ...(address !== null && { host: address }) }, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
