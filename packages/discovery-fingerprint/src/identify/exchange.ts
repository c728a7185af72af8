import type { SecureContext } from "node:tls";
import type { Scheme } from "@lmserv/discovery-core";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import { documentPath, type ReadDocument, readDocument } from "../document/document.ts";
import { Connection, type Outcome } from "../http/connection.ts";
import { maxQuestions, type Patience } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { isUnreadable, type Silence } from "../http/silence.ts";
import type { Fingerprint, OtherService } from "./fingerprint-result.ts";
import { type AskedPort, fromDocument, fromReplies } from "./identification.ts";
import { nextQuestion, recognise } from "./plan.ts";

export interface ExchangeOptions extends AskedPort {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly patience: Patience;
  /** Bearer token; over TLS it is sent only to a trusted certificate. @default none */
  readonly key?: string | null;
  /** True to require a trusted certificate even without a key. @default false */
  readonly verifies?: boolean;
  /** Trusted authorities. @default Node's own */
  readonly trust?: SecureContext | null;
  /** Bound on GET requests. @default 4 */
  readonly maxQuestions?: number;
  /** Bound on a body; a longer one counts as far as it was read. @default 65_536 */
  readonly maxBodyBytes?: number;
}

/** Runs an exchange over one connection; rejects with the reason of an aborted `signal`. */
export async function withExchange<T>(
  options: ExchangeOptions,
  run: (exchange: Exchange) => Promise<T>,
): Promise<T> {
  const { signal, port, scheme } = options;
  signal.throwIfAborted();
  const connection = new Connection(options);
  const ignore = onAbort(signal, () => connection.close());
  try {
    const result = await run(new Exchange(connection, { port, scheme }));
    signal.throwIfAborted();
    return result;
  } finally {
    ignore();
    connection.close();
  }
}

export interface EitherSchemeOptions extends Omit<ExchangeOptions, "scheme"> {
  /** @default plain HTTP first; TLS in the remaining time if a TLS server refuses that */
  readonly scheme?: Scheme;
}

/** Runs an exchange over the server's protocol; the results of plain HTTP count if TLS brings none. */
export async function withEitherScheme<T extends Pick<Fingerprint, "kind">>(
  options: EitherSchemeOptions,
  run: (exchange: Exchange) => Promise<T>,
): Promise<T> {
  const { clock, patience, scheme } = options;
  if (scheme) return withExchange({ ...options, scheme }, run);
  const endsMs = clock.now() + patience.totalMs;
  const plain = await withExchange({ ...options, scheme: "http" }, async (exchange) => ({
    found: await run(exchange),
    seemsTls: exchange.seemsTls,
  }));
  const totalMs = endsMs - clock.now();
  if (!plain.seemsTls || totalMs <= 0) return plain.found;
  const overTls = await withExchange(
    { ...options, scheme: "https", patience: { ...patience, totalMs } },
    run,
  );
  return isHeard(overTls) ? overTls : plain.found;
}

function isHeard(found: Pick<Fingerprint, "kind"> & { readonly is?: OtherService }): boolean {
  return (
    found.kind === "server" || found.kind === "document" || (found.kind === "other" && found.is !== "foreign")
  );
}

/** Questions to one port, none asked twice, with their results. */
export class Exchange {
  readonly #connection: Connection;
  readonly #asked: AskedPort;
  /** Bounded by the connection's questions. */
  readonly #replies: Reply[] = [];
  #document: ReadDocument | null = null;
  #silence: Silence | null = null;
  #seemsTls = false;

  constructor(connection: Connection, asked: AskedPort) {
    this.#connection = connection;
    this.#asked = asked;
  }

  get replies(): readonly Reply[] {
    return this.#replies;
  }

  /** Reason to stop asking; null while everything was answered. */
  get silence(): Silence | null {
    return this.#silence;
  }

  /** True if plain HTTP was refused as by a TLS server. */
  get seemsTls(): boolean {
    return this.#seemsTls;
  }

  /** Answer to a question; null without one. */
  async ask(path: string): Promise<Reply | null> {
    const known = this.#replies.find((reply) => reply.path === path);
    if (known) return known;
    if (this.#silence !== null || !this.#connection.canAsk) return null;
    const outcome = await this.#connection.get(path);
    const { reply, silence } = outcome;
    if (this.#replies.length === 0) this.#seemsTls = this.#asked.scheme === "http" && isTlsRefusal(outcome);
    if (reply) this.#replies.push(reply);
    if (reply?.path === documentPath) this.#document = readDocument(reply.json, reply.isCut);
    this.#silence = silence;
    return reply;
  }

  /** Asks until the kind of server is known, at most four questions. */
  async identify(): Promise<Fingerprint> {
    const others = this.#replies.length;
    const next = (): string | null => nextQuestion(this.#replies, this.#asked.port, others + maxQuestions);
    for (let path = next(); path !== null && !this.#isSettled(); path = next()) {
      if ((await this.ask(path)) === null) break;
    }
    return this.#result();
  }

  #isSettled(): boolean {
    return this.#document !== null || this.#silence !== null || this.#seemsTls || !this.#connection.canAsk;
  }

  /** Proof counts, even if the server fell silent after it. */
  #result(): Fingerprint {
    const [replies, silence, asked] = [this.#replies, this.#silence, this.#asked];
    if (this.#document) return resultOf(this.#document, asked);
    const serverKind = recognise(replies);
    if (serverKind)
      return { kind: "server", identification: fromReplies(serverKind, replies, asked), others: [] };
    if (isUnreadable(silence)) return { kind: "other", is: "foreign" };
    if (silence !== null) return { kind: "silent", why: silence };
    return { kind: "other", is: replies.every(({ status }) => status >= 500) ? "failing" : "http" };
  }
}

/** A port with a role is no server, whatever its document lists. */
function resultOf({ role, servers }: ReadDocument, asked: AskedPort): Fingerprint {
  const all = servers.map((server) => fromDocument(server, asked));
  const others = all.filter(({ port }) => port !== asked.port);
  const own = all.find(({ port }) => port === asked.port);
  if (own && role === null) return { kind: "server", identification: own, others };
  return { kind: "document", role, others };
}

/**
 * True if an answer to plain HTTP is that of a TLS server: an alert, a 400 that names it (nginx, Apache, Go),
 * or none (OpenSSL as Node, Python and llama.cpp use it).
 */
function isTlsRefusal({ reply, silence }: Outcome): boolean {
  if (reply === null) return silence === "encrypted" || silence === "closed";
  return reply.status === 400 && /\b(?:HTTPS|SSL)\b/.test(reply.text ?? "");
}
