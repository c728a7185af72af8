import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Clock } from "@lmserv/discovery-core";
import { isIPv6 } from "@lmserv/discovery-core";
import { maxBodyBytes, maxHeaderBytes, maxInterim, type Patience } from "./limits.ts";
import { type Reply, readReply } from "./reply.ts";

/** Why no reply came. */
export type Silence =
  /** Nobody listens on the port, and the host says so. */
  | "refused"
  /** Out of time, or no way to the host. */
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
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #options: ConnectionOptions;
  readonly #cancelDeadline: () => void;
  #ended = false;
  #current: ClientRequest | null = null;

  /** Connects with the first question; the time runs from here. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#cancelDeadline = options.clock.schedule(options.patience.totalMs, () => this.close());
  }

  /** Never rejects; the reply of a question that `close` cut off is a timeout. */
  get(path: string): Promise<Outcome> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve(silence("timeout"));
      const sent = this.#send(path);
      this.#current = sent;
      const cancelConnect = this.#limitConnect(sent);
      const finish = (outcome: Outcome): void => {
        cancelConnect();
        this.#current = null;
        resolve(outcome);
      };
      const fail = (error: NodeJS.ErrnoException): void =>
        finish(silence(this.#ended ? "timeout" : whyFailed(error)));
      limitInterim(sent);
      sent.on("error", fail);
      sent.on("response", (response) => {
        readBody(response).then((body) => {
          const { statusCode = 0, headers } = response;
          finish({ kind: "reply", reply: readReply(path, statusCode, headers, body) });
        }, fail);
      });
      sent.end();
    });
  }

  close(): void {
    this.#ended = true;
    this.#cancelDeadline();
    this.#current?.destroy();
    this.#agent.destroy();
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

  #limitConnect(sent: ClientRequest): () => void {
    let cancel = (): void => {};
    sent.on("socket", (socket) => {
      if (!socket.connecting) return;
      const { clock, patience } = this.#options;
      cancel = clock.schedule(patience.connectMs, () => sent.destroy(new ConnectTimeout()));
      socket.once("connect", cancel);
    });
    return () => cancel();
  }
}

class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
}

class Foreign extends Error {
  readonly code = "HPE_LMSERV";
}

function silence(why: Silence): Outcome {
  return { kind: "silence", why };
}

/** A zone means something on this machine only (RFC 6874 section 1). */
function hostHeader(host: string, port: number): string {
  const [address = host] = host.split("%");
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Codes that start with HPE come from the HTTP parser. */
function whyFailed({ code = "" }: NodeJS.ErrnoException): Silence {
  if (code === "ECONNREFUSED") return "refused";
  if (code.startsWith("HPE_")) return "foreign";
  return code === "ECONNRESET" || code === "EPIPE" ? "closed" : "timeout";
}

function limitInterim(sent: ClientRequest): void {
  let count = 0;
  sent.on("information", () => {
    count += 1;
    if (count > maxInterim) sent.destroy(new Foreign("interim responses without end"));
  });
}

/** The body, or null when it is too long: then the connection is given up. Rejects when it breaks off. */
function readBody(response: IncomingMessage): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    response.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBodyBytes) return;
      resolve(null);
      response.destroy();
    });
    response.on("error", reject);
    response.on("end", () => resolve(Buffer.concat(chunks)));
  });
}
