import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { NodeInfo } from "@lmserv/discovery-core";
import { type Clock, linkedAbort } from "@lmserv/discovery-core/transport";
import { listModels } from "../models/catalogue.ts";
import type { Reservation } from "../picker/load.ts";
import type { Choice, Picker } from "../picker/picker.ts";
import type { Candidate } from "../picker/ranking.ts";
import { attempt } from "./attempt.ts";
import type { Authorities } from "./authorities.ts";
import { type Call, CallBody } from "./call.ts";
import type { Connections } from "./connections.ts";
import { type Headers, requestHeaders } from "./headers.ts";
import type { NodeWatch } from "./node-watch.ts";
import { type FailedAttempt, type Refusal, refusalFor } from "./refusal.ts";
import { targetOf } from "./target.ts";

/** A request of a client. */
export interface DispatchRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  /** Headers that are added for the node. @default none */
  readonly hop?: Readonly<Record<string, string>>;
  /** Kept, so that another node can have it too; a stream goes to one node only. */
  readonly body: CallBody | Readable | null;
  readonly call: Call;
  /** Aborted when the client has gone, which ends everything at once. */
  readonly signal: AbortSignal;
}

/** Outcome of a request. */
export type Reply = Answered | Refused;

/** A node answered; the first byte of the body is there, or its end. */
export interface Answered {
  readonly kind: "answered";
  readonly node: NodeInfo;
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Paused; destroying it ends the upstream request. Bytes where the body is known whole. */
  readonly body: IncomingMessage | Uint8Array;
  /** Nodes asked, this one included. */
  readonly attempts: number;
}

/** No node gave an answer that can be passed on. */
export interface Refused {
  readonly kind: "refused";
  readonly refusal: Refusal;
  readonly attempts: number;
}

export interface DispatcherOptions {
  readonly picker: Picker;
  readonly watch: NodeWatch;
  /** Every listed node. */
  readonly nodes: () => readonly NodeInfo[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly connections: Connections;
  /** Trusted authorities of nodes with TLS. */
  readonly authorities: Authorities;
  readonly clock: Clock;
  /** Time limit of a connection, in ms. @default 1_000 */
  readonly connectMs?: number;
}

/** Answers after which another node may do better. */
const worthAnother: ReadonlySet<number> = new Set([404, 429, 502, 503, 504]);
/** Longest body of such an answer that is kept. */
const maxKeptBytes = 65_536;
/** Standstill after which the stream of a lost node is given up, in ms. */
const stalledMs = 5_000;
const missingModel = /model.{0,300}(?:not.found|not exist)/is;

/** Reason of signals that nothing waits for: one of its own for each would take as long as the choice of a node. */
const over = new Error("the attempt is over");

/** One attempt that led nowhere. */
interface Failure extends FailedAttempt {
  /** Answer, if there was one. */
  readonly answer: Answered | null;
}

/** Sends each request to the best node, and to the next if that one has not begun to answer. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #connectMs: number;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#connectMs = options.connectMs ?? 1_000;
  }

  /** @throws `signal.reason` if the client goes before the first byte. */
  async dispatch(request: DispatchRequest): Promise<Reply> {
    const { picker } = this.#options;
    const tried = new Set<string>();
    const unreached = new Set<string>();
    const failures: Failure[] = [];
    for (;;) {
      const choice = picker.choose(request.call);
      const next = isSpent(request.body, failures) ? undefined : nextOf(choice, tried, unreached);
      if (!next) return this.#giveUp(request, choice, failures);
      tried.add(next.node.id);
      const outcome = await this.#try(next, request, failures.length + 1);
      if (outcome.kind === "answered") return outcome;
      failures.push(outcome.failure);
      if (outcome.failure.answer === null) unreached.add(next.node.host);
    }
  }

  async #try(
    candidate: Candidate,
    request: DispatchRequest,
    attempts: number,
  ): Promise<Answered | { readonly kind: "failed"; readonly failure: Failure }> {
    const { node } = candidate;
    const reservation = this.#options.picker.reserve(node);
    try {
      const response = await this.#send(candidate, request, reservation);
      const status = response.statusCode ?? 502;
      const answer = { kind: "answered", node, status, headers: response.headers, attempts } as const;
      if (!worthAnother.has(status)) return { ...answer, body: response };
      const body = await keep(response, this.#options.clock, this.#connectMs);
      if (status === 404 && !missingModel.test(body.toString())) return { ...answer, body };
      return failed(node, `it answered ${status}`, { ...answer, body });
    } catch (error) {
      reservation.release();
      if (request.signal.aborted) throw request.signal.reason;
      reservation.failed();
      return failed(node, error instanceof Error ? error.message : String(error), null);
    }
  }

  /** Resolves with the answer, which frees its place when it has ended. */
  async #send(
    { node, model }: Candidate,
    { method, target, headers, hop, body, call, signal }: DispatchRequest,
    reservation: Reservation,
  ): Promise<IncomingMessage> {
    const { connections, authorities, clock, picker, watch } = this.#options;
    const ending = linkedAbort(signal);
    const ignoreLoss = watch.onLost(node.id, (why) => ending.abort(new Error(why)));
    try {
      const response = await attempt({
        node,
        method,
        target: targetOf(node, call.api, target),
        headers: { ...requestHeaders(headers, picker.keyOf(node)), ...hop },
        body: body instanceof CallBody ? body.withModel(model) : body,
        connections,
        ca: authorities.of(node),
        clock,
        connectMs: this.#connectMs,
        signal: ending.signal,
      });
      reservation.answered();
      const stopGuarding = this.#guard(node, response);
      onClose(response, () => {
        stopGuarding();
        ending.abort(over);
        reservation.release();
      });
      return response;
    } catch (error) {
      ending.abort(over);
      throw error;
    } finally {
      ignoreLoss();
    }
  }

  /** Destroys an answer of a lost node once nothing moves in it. */
  #guard({ id }: NodeInfo, response: IncomingMessage): () => void {
    const { clock, watch } = this.#options;
    let cancel = (): void => {};
    const check = (why: string): void => {
      const before = response.socket.bytesRead;
      cancel();
      cancel = clock.schedule(stalledMs, () => {
        if (response.socket.bytesRead === before) response.destroy(new Error(why));
      });
    };
    const ignore = watch.onLost(id, check);
    return () => {
      ignore();
      cancel();
    };
  }

  #giveUp({ call }: DispatchRequest, choice: Choice, failures: readonly Failure[]): Reply {
    const answers = failures.flatMap(({ answer }) => answer ?? []);
    const attempts = failures.length;
    // The client can wait for a place only if nothing else is in its way.
    const answer = answers.findLast(({ status }) => status !== 429) ?? answers.at(-1);
    if (answer) return { ...answer, attempts };
    const names = listModels(this.#options.nodes(), call.api, this.#options.aliases).map(({ name }) => name);
    return { kind: "refused", refusal: refusalFor(call, choice, failures, names), attempts };
  }
}

function failed(node: NodeInfo, why: string, answer: Answered | null): { kind: "failed"; failure: Failure } {
  return { kind: "failed", failure: { node: node.info || node.id, why, answer } };
}

/** A stream is read once. */
function isSpent(body: DispatchRequest["body"], failures: readonly Failure[]): boolean {
  return failures.length > 0 && body !== null && !(body instanceof CallBody);
}

/** Best node that was not asked yet; unreachable hosts go last. */
function nextOf(
  { candidates }: Choice,
  tried: ReadonlySet<string>,
  unreached: ReadonlySet<string>,
): Candidate | undefined {
  const left = candidates.filter(({ node }) => !tried.has(node.id));
  return left.find(({ node }) => !unreached.has(node.host)) ?? left[0];
}

/** Beginning of a body, as far as it came in time. */
function keep(response: IncomingMessage, clock: Clock, maxMs: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const cancel = clock.schedule(maxMs, () => response.destroy());
    response.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxKeptBytes) chunks.push(chunk);
      else response.destroy();
    });
    response.on("error", () => {});
    onClose(response, () => {
      cancel();
      resolve(Buffer.concat(chunks));
    });
  });
}

/** Calls back when an answer has closed, or at once if it has: it may break off at any moment. */
function onClose(response: IncomingMessage, listener: () => void): void {
  if (response.closed) listener();
  else response.once("close", listener);
}
