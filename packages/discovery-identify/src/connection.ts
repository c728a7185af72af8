import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { type Clock, formatEndpoint } from "@lmserv/discovery-core";
import { maxBodyBytes, maxHeaderBytes, maxInterim, maxQuestions, type Patience } from "./limits.ts";
import { type Body, type Reply, readReply } from "./reply.ts";

/** Why no complete reply came. */
export type Silence =
  /** Nobody listens on the port, and the host says so. */
  | "refused"
  /** There is no way to the host, says the system. */
  | "no-route"
  /** Nothing came back of the attempt to connect: the host is off or asleep, or drops it, or its queue is full. */
  | "no-connection"
  /** The connection was accepted, and no complete answer came in time: busy is not dead. */
  | "no-answer"
  /** The connection was accepted, and closed before the reply was complete. */
  | "closed"
  /** Somebody answers, in something else than HTTP. */
  | "foreign"
  /** This machine has no room for another connection: nothing was learnt. */
  | "unasked";

export interface Outcome {
  /** What was received, be it only a part of the body; null when the headers were not complete. */
  readonly reply: Reply | null;
  /** Why that is not all; null when it is, or when more than anybody needs would have followed. */
  readonly silence: Silence | null;
}

export interface ConnectionOptions {
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  readonly patience: Patience;
  readonly clock: Clock;
}

/** One question at a time to one port, over one TCP connection where the server keeps it open. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #cancelDeadline: () => void;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #asked = 0;
  #isOver = false;
  #wasAccepted = false;
  #current: ClientRequest | null = null;

  /** Connects with the first question; the time runs from here. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#cancelDeadline = options.clock.schedule(options.patience.totalMs, () => this.close());
  }

  /** Whether there are questions left: a server that is asked twice for want of a reply gets fewer. */
  get canAsk(): boolean {
    return this.#asked < maxQuestions;
  }

  /** Never rejects. A question that `close` cuts off is out of time. */
  async get(path: string): Promise<Outcome> {
    const outcome = await this.#ask(path);
    const isClosed = outcome.reply === null && outcome.silence === "closed";
    if (!isClosed || !this.#current?.reusedSocket || !this.canAsk) return outcome;
    // It closes after every reply without saying so: a new connection for each, then.
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: false });
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
        readBody(begun).then(({ failure, ...body }) => {
          const reply = readReply(path, statusCode, headers, body);
          resolve({ reply, silence: failure && reasonFor(whyFailed(failure)) });
        });
      });
      sent.end();
    });
  }

  /** What it means that the time is up: who once accepted a connection is there. */
  #lateness(): Silence {
    return this.#wasAccepted ? "no-answer" : "no-connection";
  }

  #send(path: string): ClientRequest {
    const { host, port } = this.#options;
    return request({
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

/** Without the zone, which means something on this machine only (RFC 6874 section 1). */
function hostHeader(host: string, port: number): string {
  return formatEndpoint(host.replace(/%.*$/, ""), port);
}

/** What a failure of the system's says; codes that start with HPE are the HTTP parser's. */
export function whyFailed({ code = "" }: NodeJS.ErrnoException): Silence {
  return code.startsWith("HPE_") ? "foreign" : (meanings[code] ?? "no-route");
}

const meanings: Readonly<Record<string, Silence>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "no-connection",
  ECONNRESET: "closed",
  EPIPE: "closed",
  // This machine's own limits.
  EMFILE: "unasked",
  ENFILE: "unasked",
  ENOMEM: "unasked",
  ENOBUFS: "unasked",
  EADDRNOTAVAIL: "unasked",
};

/** Gives up on a server that never comes to the point. */
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
  /** What broke it off; null where it ended, or where the limit did. */
  readonly failure: Error | null;
}

/** Reads to the end, or to the limit, at which the connection is given up. */
function readBody(response: IncomingMessage): Promise<ReceivedBody> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const end = (isCut: boolean, failure: Error | null = null): void =>
      resolve({ bytes: Buffer.concat(chunks).subarray(0, maxBodyBytes), isCut, failure });
    response.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) return;
      end(true);
      response.destroy();
    });
    response.on("error", (failure) => end(true, failure));
    response.on("end", () => end(false));
  });
}
