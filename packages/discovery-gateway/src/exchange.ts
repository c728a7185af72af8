import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import {
  type Answered,
  apiOf,
  endToEnd,
  type Refusal,
  refusalAnswer,
} from "@lmserv/discovery-client/forwarding";
import { corsHeaders, preflightHeaders } from "./origin.ts";

/** An answer that is passed on; its body is paused. */
export type PassedAnswer = Pick<Answered, "status" | "headers" | "body">;

/** Proxies must neither keep nor hold back an event. */
const eventHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** One request of a client, and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.#response = response;
    // Of the request, `close` comes as soon as it was read.
    response.once("close", () => response.writableFinished || this.#gone.abort());
  }

  /** Aborted when the client has gone before its answer was complete. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  /** Path and query. */
  get target(): string {
    return this.request.url ?? "/";
  }

  get path(): string {
    return this.target.split("?", 1)[0] ?? "/";
  }

  /** First value of a header, or null. */
  header(name: string): string | null {
    const value = this.request.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  }

  /** Status that was sent, or 0 before that. */
  get status(): number {
    return this.#response.headersSent ? this.#response.statusCode : 0;
  }

  json(value: unknown): void {
    this.send(200, { "content-type": "application/json" }, JSON.stringify(value));
  }

  text(value: string): void {
    this.send(200, { "content-type": "text/plain; charset=utf-8" }, value);
  }

  /** Answers with a text as a whole. */
  send(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#response.destroyed || this.#response.headersSent) return;
    // Of 304 it would be that of the whole answer (RFC 9110 section 8.6).
    const length = status === 304 ? {} : { "content-length": String(Buffer.byteLength(body)) };
    this.#response.writeHead(status, { ...headers, ...length, ...this.#cors() });
    this.#response.end(this.method === "HEAD" ? undefined : body);
  }

  /**
   * Answers with a stream of events (HTML, "Server-sent events") that has no end of its own.
   *
   * @param begin - Takes the response and the client's last event; returns false if it refuses.
   * @returns the result of `begin`; when false, nothing was sent.
   */
  stream(begin: (response: ServerResponse, lastId: string | null) => boolean): boolean {
    if (this.method === "HEAD") {
      this.#response.writeHead(200, { ...eventHeaders, ...this.#cors() }).end();
      return true;
    }
    for (const [name, value] of Object.entries({ ...eventHeaders, ...this.#cors() })) {
      this.#response.setHeader(name, value);
    }
    const hasBegun = begin(this.#response, this.header("last-event-id"));
    if (hasBegun) this.#response.flushHeaders();
    else for (const name of Object.keys(eventHeaders)) this.#response.removeHeader(name);
    return hasBegun;
  }

  /** Refuses in the dialect of the path; the rest of the request is not read. */
  refuse(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): void {
    const answer = refusalAnswer(refusal, apiOf(this.path), this.path);
    const isRead = this.request.complete;
    const ending: Readonly<Record<string, string>> = isRead ? {} : { connection: "close" };
    this.send(answer.status, { ...answer.headers, ...headers, ...ending }, answer.body);
  }

  /** Answers a preflight (Fetch, "CORS-preflight request"). */
  preflight(origin: string): void {
    const requested = this.header("access-control-request-headers");
    this.#response.writeHead(204, preflightHeaders(origin, requested)).end();
  }

  /**
   * Passes on an answer, chunk by chunk; a slow client holds the server back.
   *
   * An answer that breaks off is never ended: clients take a clean end without its last event for complete.
   *
   * @param added - Headers of our own.
   */
  forward(
    { status, headers, body }: PassedAnswer,
    added: Readonly<Record<string, string>> = {},
    onBeginning: (chunk: Buffer) => void = () => {},
  ): void {
    const passing = Object.entries(endToEnd(headers)).filter(([name]) => !name.startsWith("access-control-"));
    const all = {
      ...Object.fromEntries(passing),
      ...this.#cors(),
      ...added,
    };
    if (body instanceof Uint8Array) {
      this.#response.writeHead(status, { ...all, "content-length": body.byteLength }).end(body);
      return;
    }
    this.#response.writeHead(status, all);
    body.once("data", onBeginning);
    // Either side that fails takes the other along.
    pipeline(body, this.#response, () => {});
  }

  #cors(): Readonly<Record<string, string>> {
    const origin = this.header("origin");
    return origin === null ? {} : corsHeaders(origin);
  }
}
