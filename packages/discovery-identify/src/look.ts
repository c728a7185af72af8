import { isIP } from "node:net";
import { assertPort, type Clock, onAbort } from "@lmserv/discovery-core";
import { Connection, type Silence } from "./connection.ts";
import { documentPath, readDocument } from "./document.ts";
import { fromDocument, fromReplies, type Identification } from "./identification.ts";
import { patient, quick } from "./limits.ts";
import { nextQuestion, recognise } from "./plan.ts";
import type { Reply } from "./reply.ts";

/** What one look at a port found. Whoever reads it decides for each case, so that none counts as another unawares. */
export type Verdict =
  | { readonly kind: "server"; readonly identification: Identification }
  /** Somebody answers, and is no LLM server. */
  | { readonly kind: "other"; readonly is: Stranger }
  /** No complete reply, and why: with `no-connection` and `no-answer` a patient second look may find more. */
  | { readonly kind: "silent"; readonly why: Quiet };

/** How a port shows that it is no LLM server: by other HTTP, by failing whatever is asked (5xx), or without HTTP. */
export type Stranger = "http" | "failing" | "foreign";

/** Why a port gave no complete reply. */
export type Quiet = Exclude<Silence, "foreign">;

export interface LookOptions {
  readonly clock: Clock;
  /** Aborting it rejects with its reason. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /** Whether this is a second look, with 1.5 s to connect and 4 s in all instead of 0.4 s and 1.5 s. @default false */
  readonly patient?: boolean;
}

/**
 * Asks one port, with at most four GET requests, which LLM server it is.
 *
 * Rejects with `signal.reason`, and for nothing that the other side does.
 *
 * @throws {TypeError | RangeError} at once, when `host` is no address or `port` no port.
 */
export function look(options: LookOptions): Promise<Verdict> {
  assertAddress(options.host);
  assertPort(options.port);
  return converse(options);
}

/** @throws {TypeError} unless `host` is an address: a name could be another host's the next time. */
export function assertAddress(host: string): void {
  if (isIP(host) === 0) throw new TypeError(`host ${JSON.stringify(host)} must be an IPv4 or IPv6 address`);
}

async function converse(options: LookOptions): Promise<Verdict> {
  const { clock, signal, host, port } = options;
  signal.throwIfAborted();
  const connection = new Connection({ host, port, clock, patience: options.patient ? patient : quick });
  const ignore = onAbort(signal, () => connection.close());
  try {
    const verdict = await interview(connection, port);
    signal.throwIfAborted();
    return verdict;
  } finally {
    ignore();
    connection.close();
  }
}

async function interview(connection: Connection, port: number): Promise<Verdict> {
  const replies: Reply[] = [];
  while (connection.canAsk) {
    const path = nextQuestion(replies, port);
    if (path === null) break;
    const { reply, silence } = await connection.get(path);
    const document = reply?.path === documentPath ? readDocument(reply.json, reply.isCut) : null;
    if (document) return { kind: "server", identification: fromDocument(document, port) };
    if (reply) replies.push(reply);
    if (silence !== null) return conclude(replies, port, silence);
  }
  return conclude(replies, port, null);
}

/** What is proven counts, even when the server fell silent after it. */
function conclude(replies: readonly Reply[], port: number, why: Silence | null): Verdict {
  const engine = recognise(replies);
  if (engine) return { kind: "server", identification: fromReplies(engine, replies, port) };
  if (why === "foreign") return { kind: "other", is: "foreign" };
  if (why !== null) return { kind: "silent", why };
  return { kind: "other", is: replies.every(({ status }) => status >= 500) ? "failing" : "http" };
}
