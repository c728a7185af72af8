import type { SecureContext } from "node:tls";
import type { Scheme } from "@lmserv/discovery-core";
import { type Clock, onAbort } from "@lmserv/discovery-core/transport";
import { documentPath, type ReadDocument, readDocument } from "../document/document.ts";
import { Connection, isUnreadable, type Outcome, type Silence } from "../http/connection.ts";
import { maxQuestions, type Patience } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { type AskedPort, fromDocument, fromReplies } from "./identification.ts";
import { nextQuestion, recognise } from "./plan.ts";
import type { Stranger, Verdict } from "./verdict.ts";

export interface InterviewOptions extends AskedPort {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly patience: Patience;
  /** Bearer token; over TLS it is sent only where the certificate is vouched for. @default none */
  readonly key?: string | null;
  /** Whether a certificate must be vouched for where no key is sent too. @default false */
  readonly verifies?: boolean;
  /** Authorities that vouch. @default Node's own */
  readonly trust?: SecureContext | null;
  /** GET requests at most. @default 4 */
  readonly maxQuestions?: number;
  /** Of one body; of a longer one, what was read counts. @default 65_536 */
  readonly maxBodyBytes?: number;
}

/** Holds an interview over one connection; rejects with the reason of an aborted `signal`. */
export async function interview<T>(
  options: InterviewOptions,
  hold: (interview: Interview) => Promise<T>,
): Promise<T> {
  const { signal, port, scheme } = options;
  signal.throwIfAborted();
  const connection = new Connection(options);
  const ignore = onAbort(signal, () => connection.close());
  try {
    const result = await hold(new Interview(connection, { port, scheme }));
    signal.throwIfAborted();
    return result;
  } finally {
    ignore();
    connection.close();
  }
}

export interface InterviewEitherOptions extends Omit<InterviewOptions, "scheme"> {
  /** @default plain HTTP first, and TLS in the time that is left where that is refused as a server of TLS refuses it */
  readonly scheme?: Scheme;
}

/** Holds an interview over what the server speaks; what plain HTTP brought counts where TLS brings nothing. */
export async function interviewEither<T extends Pick<Verdict, "kind">>(
  options: InterviewEitherOptions,
  hold: (interview: Interview) => Promise<T>,
): Promise<T> {
  const { clock, patience, scheme } = options;
  if (scheme) return interview({ ...options, scheme }, hold);
  const endsMs = clock.now() + patience.totalMs;
  const plain = await interview({ ...options, scheme: "http" }, async (held) => ({
    found: await hold(held),
    seemsTls: held.seemsTls,
  }));
  const totalMs = endsMs - clock.now();
  if (!plain.seemsTls || totalMs <= 0) return plain.found;
  const overTls = await interview({ ...options, scheme: "https", patience: { ...patience, totalMs } }, hold);
  return isHeard(overTls) ? overTls : plain.found;
}

function isHeard(found: Pick<Verdict, "kind"> & { readonly is?: Stranger }): boolean {
  return (
    found.kind === "server" || found.kind === "document" || (found.kind === "other" && found.is !== "foreign")
  );
}

/** Questions to one port, none asked twice, and what came of them. */
export class Interview {
  readonly #connection: Connection;
  readonly #asked: AskedPort;
  /** As many as a connection has questions. */
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

  /** Why nothing more is asked; null as long as everything was answered. */
  get silence(): Silence | null {
    return this.#silence;
  }

  /** Whether plain HTTP was refused as a server of TLS refuses it. */
  get seemsTls(): boolean {
    return this.#seemsTls;
  }

  /** The answer to a question; null where there is none. */
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

  /** Asks until the kind of server is known, four questions at most. */
  async identify(): Promise<Verdict> {
    const others = this.#replies.length;
    const next = (): string | null => nextQuestion(this.#replies, this.#asked.port, others + maxQuestions);
    for (let path = next(); path !== null && !this.#isSettled(); path = next()) {
      if ((await this.ask(path)) === null) break;
    }
    return this.#verdict();
  }

  #isSettled(): boolean {
    return this.#document !== null || this.#silence !== null || this.#seemsTls || !this.#connection.canAsk;
  }

  /** What is proven counts, even when the server fell silent after it. */
  #verdict(): Verdict {
    const [replies, silence, asked] = [this.#replies, this.#silence, this.#asked];
    if (this.#document) return verdictOf(this.#document, asked);
    const serverKind = recognise(replies);
    if (serverKind)
      return { kind: "server", identification: fromReplies(serverKind, replies, asked), others: [] };
    if (isUnreadable(silence)) return { kind: "other", is: "foreign" };
    if (silence !== null) return { kind: "silent", why: silence };
    return { kind: "other", is: replies.every(({ status }) => status >= 500) ? "failing" : "http" };
  }
}

/** A port with a role is no server, whatever its document lists. */
function verdictOf({ role, servers }: ReadDocument, asked: AskedPort): Verdict {
  const all = servers.map((server) => fromDocument(server, asked));
  const others = all.filter(({ port }) => port !== asked.port);
  const own = all.find(({ port }) => port === asked.port);
  if (own && role === null) return { kind: "server", identification: own, others };
  return { kind: "document", role, others };
}

/**
 * Whether an answer to plain HTTP is one of a server of TLS: an alert, a 400 that names it (nginx, Apache, Go), or none
 * (OpenSSL as Node, Python and llama.cpp use it).
 */
function isTlsRefusal({ reply, silence }: Outcome): boolean {
  if (reply === null) return silence === "encrypted" || silence === "closed";
  return reply.status === 400 && /\b(?:HTTPS|SSL)\b/.test(reply.text ?? "");
}
