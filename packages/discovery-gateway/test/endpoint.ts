import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import type { Discovery } from "@lmserv/discovery-core";
import {
  createGateway,
  type Gateway,
  type GatewayOptions,
  type RequestHandler,
  type RequestOutcome,
} from "../src/index.ts";

/** A gateway that listens on loopback. */
export interface Endpoint extends Listening {
  readonly gateway: Gateway;
  readonly outcomes: readonly RequestOutcome[];
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Answers that have not ended. */
  readonly responses: ReadonlySet<ServerResponse>;
  /** Connections that are open at the server. */
  connections(): Promise<number>;
  /** Sends a request whose every header is the test's, as no `fetch` does. */
  send(request: RawRequest): Promise<RawResponse>;
}

export interface RawRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export async function endpoint(discovery: Discovery, options: GatewayOptions = {}): Promise<Endpoint> {
  const outcomes: RequestOutcome[] = [];
  const gateway = createGateway(discovery, { onRequest: (outcome) => outcomes.push(outcome), ...options });
  return { ...(await listen(gateway)), gateway, outcomes };
}

/** Listens on loopback, at a free port. */
export async function listen(handler: RequestHandler): Promise<Listening> {
  const responses = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    responses.add(response);
    response.once("close", () => responses.delete(response));
    void handler.handle(request, response);
  });
  server.on("upgrade", (request, socket) => handler.refuseUpgrade(request, socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    responses,
    url: `http://127.0.0.1:${port}`,
    connections: () => promisify(server.getConnections.bind(server))(),
    send: (request) => send(port, request),
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose]();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function send(
  port: number,
  { method = "GET", path = "/", headers = {}, body }: RawRequest,
): Promise<RawResponse> {
  const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, agent: false });
  request.end(body);
  const [response] = await once(request, "response");
  const chunks: Buffer[] = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
