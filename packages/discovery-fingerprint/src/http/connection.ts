import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { request as requestOverTls, Agent as TlsAgent } from "node:https";
import type { SecureContext } from "node:tls";
import type { Scheme } from "@lmserv/discovery-core";
import { type Clock, formatEndpoint, withoutZone } from "@lmserv/discovery-core/transport";
import { maxBodyBytes, maxHeaderBytes, maxInterim, maxQuestions, type Patience } from "./limits.ts";
import { type Body, type Reply, readReply } from "./reply.ts";
import { type Silence, whyFailed } from "./silence.ts";

export interface Outcome {
  /** Received reply, perhaps with only a part of the body; null if the headers were incomplete. */
  readonly reply: Reply | null;
  /** Reason for the incomplete reply; null if it is complete, or was cut at the limit. */
  readonly silence: Silence | null;
}

export interface ConnectionOptions {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /** @default "http" */
  readonly scheme?: Scheme;
  /** Bearer token; over TLS it is sent only to a trusted certificate. @default none */
  readonly key?: string | null;
  /** True to require a trusted certificate even without a key. @default false: the answers are public */
  readonly verifies?: boolean;
  /** Trusted authorities. @default Node's own */
  readonly trust?: SecureContext | null;
  readonly patience: Patience;
  readonly clock: Clock;
  /** Bound on GET requests. @default 4 */
  readonly maxQuestions?: number;
  /** Bound on a body; a longer one counts as far as it was read. @default 65_536 */
  readonly maxBodyBytes?: number;
}

/** Asks one port question by question, over one TCP connection if the server keeps it open. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #cancelDeadline: () => void;
  #agent: Agent;
  #asked = 0;
  #isOver = false;
  #wasAccepted = false;
  #current: ClientRequest | null = null;

  /** Connects with the first question; the time limits start here. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#agent = this.#newAgent(true);
    this.#cancelDeadline = options.clock.schedule(options.patience.totalMs, () => this.close());
  }

  /** True if questions are left: a repeated question, after a missing reply, counts as well. */
  get canAsk(): boolean {
    return this.#asked < (this.#options.maxQuestions ?? maxQuestions);
  }

  /** Never rejects. A question that `close` cuts off is out of time. */
  async get(path: string): Promise<Outcome> {
    const outcome = await this.#ask(path);
    const isClosed = outcome.reply === null && outcome.silence === "closed";
    if (!isClosed || !this.#current?.reusedSocket || !this.canAsk) return outcome;
    // The server closes after every reply without saying so: each question gets a new connection.
    this.#agent.destroy();
    this.#agent = this.#newAgent(false);
    return this.#ask(path);
  }

  close(): void {
    this.#isOver = true;
    this.#cancelDeadline();
    this.#current?.destroy();
    this.#agent.destroy();
  }

  #ask(path: string): Promise<Outcome> {
    return new Promise((resolve) => {
      if (this.#isOver) return resolve({ reply: null, silence: this.#lateness() });
      this.#asked += 1;
      const sent = this.#send(path);
      this.#current = sent;
      const reasonFor = (why: Silence): Silence => (this.#isOver ? this.#lateness() : why);
      const fail = (why: Silence): void => resolve({ reply: null, silence: reasonFor(why) });
      this.#limitConnect(sent, () => fail(this.#lateness()));
      limitInterim(sent, () => fail("foreign"));
      let response: IncomingMessage | null = null;
      sent.on("error", (error) => fail(whyFailed(error)));
      // A switch to another protocol ends like this, without an error.
      sent.on("close", () => response ?? fail("foreign"));
      sent.on("response", (begun) => {
        response = begun;
        const { statusCode = 0, headers } = begun;
        readBody(begun, this.#options.maxBodyBytes ?? maxBodyBytes).then(({ failure, ...body }) => {
          const reply = readReply(path, statusCode, headers, body);
          resolve({ reply, silence: failure && reasonFor(whyFailed(failure)) });
        });
      });
      sent.end();
    });
  }

  /** Silence at the time limit: a host that once accepted a connection is there. */
  #lateness(): Silence {
    return this.#wasAccepted ? "no-answer" : "no-connection";
  }

  #newAgent(keepAlive: boolean): Agent {
    const options = { keepAlive, maxSockets: 1 };
    if (!this.#isOverTls) return new Agent(options);
    const { key = null, verifies = false, trust = null } = this.#options;
    return new TlsAgent({
      ...options,
      ...(trust !== null && { secureContext: trust }),
      rejectUnauthorized: verifies || key !== null,
    });
  }

  get #isOverTls(): boolean {
    return this.#options.scheme === "https";
  }

  #send(path: string): ClientRequest {
    const { host, port, key = null } = this.#options;
    const send = this.#isOverTls ? requestOverTls : request;
    return send({
      agent: this.#agent,
      host,
      port,
      path,
      maxHeaderSize: maxHeaderBytes,
      headers: {
        host: hostHeader(host, port),
        accept: "application/json, text/plain;q=0.9, */*;q=0.1",
        "accept-encoding": "identity",
        "user-agent": "lmserv-discovery",
        ...(key !== null && { authorization: `Bearer ${key}` }),
      },
    });
  }

  #limitConnect(sent: ClientRequest, onTimeout: () => void): void {
    sent.once("socket", (socket) => {
      if (!socket.connecting) return;
      const { clock, patience } = this.#options;
      const cancel = clock.schedule(patience.connectMs, () => {
        onTimeout();
        sent.destroy();
      });
      socket.once("connect", () => {
        this.#wasAccepted = true;
      });
      socket.once("connect", cancel).once("close", cancel);
    });
  }
}

/** Omits the zone, which is valid on this machine only (RFC 6874 section 1). */
function hostHeader(host: string, port: number): string {
  return formatEndpoint(withoutZone(host), port);
}

/** Gives up a server that sends interim responses only. */
function limitInterim(sent: ClientRequest, onExcess: () => void): void {
  let count = 0;
  sent.on("information", () => {
    count += 1;
    if (count <= maxInterim) return;
    onExcess();
    sent.destroy();
  });
}

interface ReceivedBody extends Body {
  /** Error that broke it off; null at its end, or at the limit. */
  readonly failure: Error | null;
}

/** Reads to the end, or to the limit, at which the connection is given up. */
function readBody(response: IncomingMessage, maxBytes: number): Promise<ReceivedBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const end = (isCut: boolean, failure: Error | null = null): void =>
      resolve({ bytes: Buffer.concat(chunks).subarray(0, maxBytes), isCut, failure });
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= maxBytes) return;
      end(true);
      response.destroy();
    });
    response.on("error", (failure) => end(true, failure));
    response.on("end", () => end(false));
  });
}
