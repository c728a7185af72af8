import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import type { NodeInfo } from "@lmserv/discovery-core";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import type { Connections } from "./connections.ts";

/** One request to one node. */
export interface AttemptOptions {
  readonly node: Pick<NodeInfo, "scheme" | "host" | "port">;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Uint8Array | Readable | null;
  readonly connections: Connections;
  /** Certificates to trust for the node besides Node's own, PEM. @default none */
  readonly ca?: string | null;
  readonly clock: Clock;
  /** Time limit of the connection, in ms. */
  readonly connectMs: number;
  /** Ends it in every phase; the request is destroyed. */
  readonly signal: AbortSignal;
}

/** Error of a request before an answer. */
class AttemptError extends Error {
  override readonly name = "AttemptError";
}

/**
 * Asks a node, and resolves with the first byte of the answer's body, or its end.
 *
 * The answer is paused. Aborting `signal` destroys it also after that.
 *
 * @throws {Error} when no connection comes about or it breaks before that; `signal.reason` when aborted.
 */
export async function attempt(options: AttemptOptions): Promise<IncomingMessage> {
  try {
    return await send(options, true);
  } catch (error) {
    // A server may end an idle connection at the very moment of its use: that says nothing of the node.
    if (!(error instanceof StaleConnectionError) || options.signal.aborted) throw error;
    return await send(options, false);
  }
}

class StaleConnectionError extends AttemptError {}

function send(options: AttemptOptions, reuses: boolean): Promise<IncomingMessage> {
  const { signal, body } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const request = open(options, reuses);
    const ignore = onAbort(signal, () => request.destroy(signal.reason));
    request.once("close", ignore);
    limitConnecting(request, options);
    request.on("error", (error) => reject(signal.aborted ? signal.reason : failureOf(error, request, body)));
    request.once("response", (response) => {
      firstByte(response).then(
        () => resolve(response),
        (error: Error) =>
          reject(
            signal.aborted
              ? signal.reason
              : new AttemptError(`it broke off before an answer: ${error.message}`),
          ),
      );
    });
    if (body === null || body instanceof Uint8Array) request.end(body ?? undefined);
    else body.on("error", (error) => request.destroy(error)).pipe(request);
  });
}

function open(
  { node, method, target, headers, body, connections, ca = null }: AttemptOptions,
  reuses: boolean,
): ClientRequest {
  const length = body instanceof Uint8Array ? { "content-length": String(body.byteLength) } : {};
  const { scheme, host, port } = node;
  const request = scheme === "https" ? httpsRequest : httpRequest;
  return request({
    host,
    port,
    method,
    path: target,
    headers: { ...headers, ...length },
    agent: reuses ? connections.kept(scheme, ca) : connections.fresh(scheme, ca),
  });
}

/** A host that is off answers nothing at all. */
function limitConnecting(request: ClientRequest, { clock, connectMs, node }: AttemptOptions): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const cancel = clock.schedule(connectMs, () => {
      request.destroy(new AttemptError(`no connection within ${connectMs} ms`));
    });
    socket.once(node.scheme === "https" ? "secureConnect" : "connect", cancel);
    request.once("close", cancel);
  });
}

function failureOf(error: Error, request: ClientRequest, body: AttemptOptions["body"]): AttemptError {
  if (error instanceof AttemptError) return error;
  const isKept = body === null || body instanceof Uint8Array;
  const Kind = request.reusedSocket && isKept ? StaleConnectionError : AttemptError;
  return new Kind(explain(error), { cause: error });
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "it refuses connections";
  if (error.code === "ECONNRESET") return "it broke the connection";
  return error.message;
}

/** Resolves when a body has begun or ended; rejects when it breaks off. */
function firstByte(response: IncomingMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      response.off("readable", onReadable).off("end", onReadable).off("error", settle).off("close", onClose);
      if (error) reject(error);
      else resolve();
    };
    const onReadable = (): void => settle();
    const onClose = (): void => settle(response.complete ? undefined : new Error("it closed the connection"));
    response.on("readable", onReadable).on("end", onReadable).on("error", settle).on("close", onClose);
  });
}
