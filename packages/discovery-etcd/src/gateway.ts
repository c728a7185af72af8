import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import { EtcdError, errorIn, faultOf, isReset, noTls } from "./etcd-error.ts";

export interface TlsOptions {
  /** PEM of the authority of the servers' certificates. @default those of Node */
  readonly ca?: string;
  /** PEM of our certificate, and its key. @default none */
  readonly cert?: string;
  readonly key?: string;
}

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly token: string | null;
}

/** Bound on an answer: a page of etcd's largest default values (1.5 MiB each) is read in smaller pages. */
const maxBodyBytes = 16 * 2 ** 20;
/** Bound on a line: one fragment of a watch is as large as a request, 1.5 MiB, and a third more as base64. */
const maxLineBytes = 8 * 2 ** 20;
/** Bound on sockets: each watch and each running renewal needs one. */
const maxSockets = 32;
/** Answer of Go's net/http to plain HTTP on a TLS port. */
const wantsTls = /HTTP request to an HTTPS server/;

/** etcd's JSON gateway at any of its servers; owns all its sockets. */
export class Gateway {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  /** Sockets after the TLS handshake. */
  readonly #secured = new WeakSet<Socket>();

  constructor(clock: Clock, timeoutMs: number, tls: TlsOptions) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#http = new HttpAgent({ keepAlive: true, maxSockets });
    this.#https = new HttpsAgent({ keepAlive: true, maxSockets, ...tls });
  }

  /** Sends one request. @throws {EtcdFault}, or `signal.reason` itself when aborted. */
  async ask(server: URL, path: string, body: object | null, options: AskOptions): Promise<unknown> {
    const ending = new Ending(this.#clock, this.#timeoutMs, options.signal);
    try {
      const response = await this.#send(server, path, body, options.token, ending);
      const text = await readAll(response);
      return resultOf(text, response.statusCode ?? 0);
    } catch (error) {
      throw ending.reasonFor(error);
    } finally {
      ending.clear();
    }
  }

  /**
   * Requests a stream and yields its JSON objects; the first one has a time limit. Throws a fault when the
   * server ends the stream.
   */
  async *stream(server: URL, path: string, body: object, options: AskOptions): AsyncGenerator<unknown, void> {
    const ending = new Ending(this.#clock, this.#timeoutMs, options.signal);
    try {
      const response = await this.#send(server, path, body, options.token, ending);
      for await (const line of readLines(response)) {
        ending.relax();
        yield resultOf(line, response.statusCode ?? 0);
      }
      throw new EtcdError("unreachable", "it ended the watch");
    } catch (error) {
      throw ending.reasonFor(error);
    } finally {
      ending.end();
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(
    server: URL,
    path: string,
    body: object | null,
    token: string | null,
    ending: Ending,
  ): Promise<IncomingMessage> {
    const isSecure = server.protocol === "https:";
    const [request, agent] = isSecure ? [requestHttps, this.#https] : [requestHttp, this.#http];
    const text = body && JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sending = request(new URL(path, server), {
        agent,
        method: text === null ? "GET" : "POST",
        headers: {
          ...(text !== null && {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(text),
          }),
          ...(token !== null && { authorization: token }),
        },
      });
      let isAnswered = false;
      sending.on("response", (response) => {
        isAnswered = true;
        resolve(response);
      });
      if (isSecure) sending.on("socket", (socket) => this.#noteHandshake(socket));
      // Also after the response has begun: a broken socket then ends the response.
      sending.on("error", (error) => {
        // The server closed an idle connection, which is no fault of the request.
        if (sending.reusedSocket && !isAnswered && isReset(error)) {
          return resolve(this.#send(server, path, body, token, ending));
        }
        const isHandshake = isSecure && sending.socket !== null && !this.#secured.has(sending.socket);
        reject(isHandshake && isReset(error) ? new EtcdError("untrusted", noTls, error) : error);
      });
      ending.onEnd((reason) => sending.destroy(reason));
      sending.end(text ?? undefined);
    });
  }

  #noteHandshake(socket: Socket): void {
    if (!this.#secured.has(socket)) socket.once("secureConnect", () => this.#secured.add(socket));
  }
}

/** Ends one request, by its time limit or its caller's signal. */
class Ending {
  readonly #signal: AbortSignal;
  readonly #cancel: () => void;
  readonly #ignore: () => void;
  #timeout: EtcdError | null = null;
  #destroy: (reason?: Error) => void = () => {};

  constructor(clock: Clock, timeoutMs: number, signal: AbortSignal) {
    this.#signal = signal;
    this.#cancel = clock.schedule(timeoutMs, () => {
      this.#timeout = new EtcdError("unreachable", `it does not answer within ${Math.round(timeoutMs)} ms`);
      this.end();
    });
    this.#ignore = onAbort(signal, () => this.end());
  }

  onEnd(destroy: (reason?: Error) => void): void {
    this.#destroy = destroy;
    if (this.#signal.aborted) this.end();
  }

  /** Lifts the time limit. */
  relax(): void {
    this.#cancel();
  }

  /** Reason of the end, unless it was the server's. */
  reasonFor(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    return this.#timeout ?? faultOf(error);
  }

  clear(): void {
    this.#cancel();
    this.#ignore();
  }

  end(): void {
    this.clear();
    this.#destroy(new Error("ended"));
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes)
      throw new EtcdError("oversized", `it answers with more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function* readLines(response: IncomingMessage): AsyncGenerator<string, void> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...chunks, chunk.subarray(start, end)]).toString("utf8");
      [chunks, size, start] = [[], 0, end + 1];
      if (line.trim() !== "") yield line;
    }
    chunks.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxLineBytes)
      throw new EtcdError("oversized", `it sends more than ${maxLineBytes} bytes at once`);
  }
  const rest = Buffer.concat(chunks).toString("utf8");
  if (rest.trim() !== "") yield rest;
}

/** @throws {EtcdFault} for an answer that is no result. */
function resultOf(text: string, status: number): unknown {
  if (wantsTls.test(text)) throw new EtcdError("untrusted", "it speaks TLS: use https://");
  const body = parse(text);
  const fault = errorIn(body, status);
  if (fault) throw fault;
  if (body === undefined) throw new EtcdError("rejected", "the server there is no etcd");
  return body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
