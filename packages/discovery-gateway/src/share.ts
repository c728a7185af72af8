import {
  attempt,
  Connections,
  type Headers,
  type Refusal,
  requestHeaders,
} from "@lmserv/discovery-client/forwarding";
import { type Clock, systemClock } from "@lmserv/discovery-core/transport";
import { type Admission, type AdmissionOptions, hopHeader } from "./admission.ts";
import { BodyBudget, bodyLimits, bodyRefusals } from "./body-budget.ts";
import { isLetIn } from "./entrance.ts";
import { Exchange } from "./exchange.ts";
import { inferenceMethods } from "./inference-path.ts";
import { type RequestHandler, refuseUpgrade } from "./request-handler.ts";

/** Only server of a share. */
export interface SharedServer {
  /** IPv4 or IPv6, such as `127.0.0.1`. */
  readonly host: string;
  readonly port: number;
  /** Path of its chat endpoint if it is unusual, or null. */
  readonly path: string | null;
}

export interface ShareOptions extends Partial<AdmissionOptions> {
  /** Time limit of a connection to the server, in ms. @default 1_000 */
  readonly connectMs?: number;
  /** @default the system's */
  readonly clock?: Clock;
  /** Receives the outcome of each request; never its content. */
  readonly onRequest?: (outcome: SharedOutcome) => void;
}

/** Outcome of a request. */
export interface SharedOutcome {
  readonly method: string;
  readonly path: string;
  /** HTTP status, or 0 when the client went before there was one. */
  readonly status: number;
}

/**
 * Makes a handler that offers one server to others, for inference only: it picks nothing, and is no gateway.
 *
 * It refuses requests that change a server, or show requests of others. It accepts requests that came through
 * a gateway. Keys of clients are the server's, unless the share has one of its own. The caller decides on its
 * addresses: without a key, they must be unreachable from the internet.
 */
export function createShare(server: SharedServer, options: ShareOptions = {}): RequestHandler {
  const desk = new ShareDesk(server, options);
  return {
    handle: (request, response) => desk.serve(new Exchange(request, response)),
    refuseUpgrade,
    [Symbol.dispose]: () => desk.close(),
  };
}

class ShareDesk {
  readonly #server: SharedServer;
  readonly #options: ShareOptions;
  readonly #admission: Admission;
  readonly #bodies = new BodyBudget(bodyLimits);
  readonly #connections = new Connections();

  constructor(server: SharedServer, options: ShareOptions) {
    const { key = null, allowHosts = [], allowOrigins = [], hostname = "" } = options;
    this.#server = server;
    this.#options = options;
    this.#admission = { key, allowHosts, allowOrigins, hostname, hasFlags: false };
  }

  close(): void {
    this.#connections.close();
  }

  async serve(exchange: Exchange): Promise<void> {
    try {
      await this.#serve(exchange);
    } catch {
      // The client has gone, in the middle of its own request or before the answer.
      exchange.request.destroy();
    }
    const { method, path, status } = exchange;
    this.#options.onRequest?.({ method, path, status });
  }

  async #serve(exchange: Exchange): Promise<void> {
    if (!isLetIn(exchange, this.#admission)) return;
    const { method, path } = exchange;
    const methods = inferenceMethods(path, this.#server.path);
    if (methods === null) return exchange.refuse(closed(path));
    if (!methods.includes(method)) return exchange.refuse(wrongMethod(path, methods));
    const taken = await this.#bodies.take(exchange.request);
    if (taken.kind !== "body") return exchange.refuse(bodyRefusals[taken.kind]);
    try {
      await this.#forward(exchange, taken.bytes);
    } finally {
      taken.release();
    }
  }

  async #forward(exchange: Exchange, bytes: Buffer): Promise<void> {
    const { connectMs = 1_000, clock = systemClock } = this.#options;
    const { method, target, gone } = exchange;
    try {
      const response = await attempt({
        node: { ...this.#server, scheme: "http" },
        method,
        target,
        headers: this.#headersOf(exchange),
        body: bytes.length === 0 && method !== "POST" ? null : bytes,
        connections: this.#connections,
        clock,
        connectMs,
        signal: gone,
      });
      exchange.forward({ status: response.statusCode ?? 502, headers: response.headers, body: response });
    } catch (error) {
      if (gone.aborted) throw error;
      exchange.refuse(unreachable(error));
    }
  }

  /** The keys of clients are for the server, unless the share has one. */
  #headersOf({ request }: Exchange): Record<string, string | string[]> {
    const headers = request.headers as Headers;
    const passed = this.#admission.key === null ? [hopHeader, ...keyHeaders] : [hopHeader];
    const kept = passed.flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
    const via = [headers.via, "1.1 share"].filter((hop) => hop !== undefined).join(", ");
    return { ...requestHeaders(headers, null), ...Object.fromEntries(kept), via };
  }
}

const keyHeaders: readonly string[] = ["authorization", "x-api-key", "api-key"];

function closed(path: string): Refusal {
  return refusal(404, "not_shared", `${path} is not shared: this server is offered for inference only`);
}

function wrongMethod(path: string, methods: readonly string[]): Refusal {
  return refusal(405, "method_not_allowed", `${path} takes ${methods.join(" and ")} here`);
}

function unreachable(error: unknown): Refusal {
  const why = error instanceof Error ? error.message : String(error);
  return refusal(502, "server_unreachable", `the shared server gave no answer: ${why}`);
}

function refusal(status: number, code: string, message: string): Refusal {
  return { status, code, message, retryAfterS: null };
}
