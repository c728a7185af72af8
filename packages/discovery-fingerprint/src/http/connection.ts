import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { request as requestOverTls, Agent as TlsAgent } from "node:https";
import type { SecureContext } from "node:tls";
import type { Scheme } from "@lmserv/discovery-core";
import { type Clock, formatEndpoint, withoutZone } from "@lmserv/discovery-core/transport";
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
  /** The answer to plain HTTP was an alert of TLS. */
  | "encrypted"
  | CertificateFault
  /** This machine has no room for another connection: nothing was learnt. */
  | "unasked";

/** What is wrong with a certificate, where one has to be vouched for. */
export type CertificateFault =
  /** No authority that is trusted vouches for it. */
  | "untrusted"
  /** It is made for another host. */
  | "misnamed"
  /** It has expired, or does not hold yet. */
  | "expired";

/** Silences of a port that answers, in something that cannot be read. */
export type Unreadable = "foreign" | "encrypted" | CertificateFault;

const unreadable: ReadonlySet<Silence> = new Set<Unreadable>([
  "foreign",
  "encrypted",
  "untrusted",
  "misnamed",
  "expired",
]);

export function isUnreadable(silence: Silence | null): silence is Unreadable {
  return silence !== null && unreadable.has(silence);
}

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
  /** @default "http" */
  readonly scheme?: Scheme;
  /** Bearer token; over TLS it is sent only where the certificate is vouched for. @default none */
  readonly key?: string | null;
  /** Whether a certificate must be vouched for where no key is sent too. @default false: what is asked is for everybody */
  readonly verifies?: boolean;
  /** Authorities that vouch. @default Node's own */
  readonly trust?: SecureContext | null;
  readonly patience: Patience;
  readonly clock: Clock;
  /** GET requests at most. @default 4 */
  readonly maxQuestions?: number;
  /** Of one body; of a longer one, what was read counts. @default 65_536 */
  readonly maxBodyBytes?: number;
}

/** One question at a time to one port, over one TCP connection where the server keeps it open. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #cancelDeadline: () => void;
  #agent: Agent;
  #asked = 0;
  #isOver = false;
  #wasAccepted = false;
  #current: ClientRequest | null = null;

  /** Connects with the first question; the time runs from here. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#agent = this.#newAgent(true);
    this.#cancelDeadline = options.clock.schedule(options.patience.totalMs, () => this.close());
  }

  /** Whether there are questions left: a server that is asked twice for want of a reply gets fewer. */
  get canAsk(): boolean {
    return this.#asked < (this.#options.maxQuestions ?? maxQuestions);
  }

  /** Never rejects. A question that `close` cuts off is out of time. */
  async get(path: string): Promise<Outcome> {
    const outcome = await this.#ask(path);
    const isClosed = outcome.reply === null && outcome.silence === "closed";
    if (!isClosed || !this.#current?.reusedSocket || !this.canAsk) return outcome;
    // It closes after every reply without saying so: a new connection for each, then.
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

  /** What it means that the time is up: who once accepted a connection is there. */
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

/** Without the zone, which means something on this machine only (RFC 6874 section 1). */
function hostHeader(host: string, port: number): string {
  return formatEndpoint(withoutZone(host), port);
}

/** What a failure of the system's says; codes that start with HPE are the HTTP parser's. */
export function whyFailed(error: NodeJS.ErrnoException): Silence {
  const { code = "" } = error;
  if (code.startsWith("HPE_")) return isTlsAlert(error) ? "encrypted" : "foreign";
  // What is behind the port does not speak TLS as anybody does, or lets nobody in without a certificate.
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "misnamed";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) return "foreign";
  if (certificateDates.test(code)) return "expired";
  if (certificateFaults.test(code)) return "untrusted";
  return meanings[code] ?? "no-route";
}

/** Whether what no HTTP parser understands starts as a record of TLS with an alert does (RFC 8446 section 5.1). */
function isTlsAlert(error: object): boolean {
  const packet = "rawPacket" in error ? error.rawPacket : null;
  return packet instanceof Uint8Array && packet[0] === 21 && packet[1] === 3;
}

/** Results of X509_verify_cert(3), as Node names them. */
const certificateDates = /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/;
const certificateFaults =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERROR_IN_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

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
