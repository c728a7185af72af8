import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { type Clock, formatEndpoint } from "@lmserv/discovery-core";
import { maxBodyBytes, maxHeaderBytes, maxInterim, maxQuestions, type Patience } from "./limits.ts";
import { type Reply, readReply } from "./reply.ts";

/** Why no reply came. */
export type Silence =
  /** Nobody listens on the port, and the host says so. */
  | "refused"
  /** There is no way to the host. */
  | "unreachable"
  | "timeout"
  /** The connection closed before the reply was complete. */
  | "closed"
  /** Somebody answers, in something else than HTTP. */
  | "foreign";

export type Outcome =
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "silence"; readonly why: Silence };

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

  /** Never rejects. A question that `close` cuts off times out. */
  async get(path: string): Promise<Outcome> {
    const outcome = await this.#ask(path);
    const isClosed = outcome.kind === "silence" && outcome.why === "closed";
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
      if (this.#isOver) return resolve(silence("timeout"));
      this.#asked += 1;
      const sent = this.#send(path);
      this.#current = sent;
      const fail = (why: Silence): void => resolve(silence(this.#isOver ? "timeout" : why));
      this.#limitConnect(sent, () => fail("timeout"));
      limitInterim(sent, () => fail("foreign"));
      let response: IncomingMessage | null = null;
      sent.on("error", (error) => fail(whyFailed(error)));
      // A switch to another protocol ends like this, without an error.
      sent.on("close", () => response ?? fail("foreign"));
      sent.on("response", (begun) => {
        response = begun;
        const { statusCode = 0, headers } = begun;
        readBody(begun).then(
          (body) => resolve({ kind: "reply", reply: readReply(path, statusCode, headers, body) }),
          (error) => fail(whyFailed(error)),
        );
      });
      sent.end();
    });
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
      socket.once("connect", cancel).once("close", cancel);
    });
  }
}

function silence(why: Silence): Outcome {
  return { kind: "silence", why };
}

/** Without the zone, which means something on this machine only (RFC 6874 section 1). */
function hostHeader(host: string, port: number): string {
  return formatEndpoint(host.replace(/%.*$/, ""), port);
}

/** Codes that start with HPE are the HTTP parser's. */
function whyFailed({ code = "" }: NodeJS.ErrnoException): Silence {
  if (code === "ECONNREFUSED") return "refused";
  if (code === "ETIMEDOUT") return "timeout";
  if (code.startsWith("HPE_")) return "foreign";
  return code === "ECONNRESET" || code === "EPIPE" ? "closed" : "unreachable";
}

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

/** The body, or null when it is too long: then the connection is given up. Rejects when it breaks off. */
function readBody(response: IncomingMessage): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    response.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) return chunks.push(chunk);
      resolve(null);
      return response.destroy();
    });
    response.on("error", reject);
    response.on("end", () => resolve(Buffer.concat(chunks)));
  });
}
