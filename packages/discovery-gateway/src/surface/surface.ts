import { createHash } from "node:crypto";
import type { Picker } from "@lmserv/discovery-client";
import type { Refusal } from "@lmserv/discovery-client/forwarding";
import type { Discovery, DiscoveryError, TransportStatus } from "@lmserv/discovery-core";
import { type Clock, explain } from "@lmserv/discovery-core/transport";
import {
  type DiscoverDocument,
  formatVersion,
  nodeDocument,
  toJsonLine,
  warningDocument,
} from "../document.ts";
import type { Exchange } from "../exchange.ts";
import { Events } from "./events.ts";
import { Examinations, type Examine } from "./examinations.ts";
import { exposition, expositionType } from "./exposition.ts";
import { Metrics } from "./metrics.ts";
import { type Page, readPage } from "./page.ts";
import { unreadyReason } from "./readiness.ts";
import { targetsOf } from "./targets.ts";
import { noNode, type Traffic } from "./traffic.ts";

export interface SurfaceOptions {
  readonly discovery: Discovery;
  readonly picker: Picker;
  readonly clock: Clock;
  readonly version: string;
  readonly examine: Examine | null;
  readonly signal: AbortSignal;
}

/** Path that needs no key. */
export const keylessPath = "/livez";

type Answer = (exchange: Exchange) => void | Promise<void>;

/** Paths about the endpoint and the list: documents, events, metrics and the page. */
export class Surface {
  readonly #options: SurfaceOptions;
  readonly #events: Events;
  readonly #metrics: Metrics;
  readonly #examinations: Examinations | null;
  readonly #page: Page;
  #isEnding = false;

  readonly #answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
    ["/", (exchange) => this.#greet(exchange)],
    [keylessPath, (exchange) => exchange.text("alive")],
    ["/readyz", (exchange) => this.#tellReadiness(exchange)],
    ["/metrics", (exchange) => this.#send(exchange, expositionType, exposition(this.#metrics.collect()))],
    ["/lmserv/nodes", (exchange) => this.#listNodes(exchange)],
    ["/lmserv/events", (exchange) => this.#streamEvents(exchange)],
    ["/lmserv/targets", (exchange) => this.#listTargets(exchange)],
    ["/lmserv/doctor", (exchange) => this.#examine(exchange)],
    ["/lmserv/traffic", (exchange) => this.#send(exchange, json, JSON.stringify(this.#trafficDocument()))],
  ]);

  constructor(options: SurfaceOptions) {
    this.#options = options;
    this.#metrics = new Metrics(options);
    this.#events = new Events({ ...options, onChange: (change) => this.#metrics.take(change) });
    const { examine, clock, signal } = options;
    this.#examinations = examine && new Examinations(examine, clock, signal);
    this.#page = readPage({ canExamine: examine !== null });
  }

  get traffic(): Traffic {
    return this.#metrics.traffic;
  }

  /** Answer for one of its paths; null for any other path. */
  answerTo({ path, method }: Pick<Exchange, "path" | "method">): Answer | null {
    const answer = this.#answers.get(path) ?? null;
    if (answer === null || method === "GET" || method === "HEAD") return answer;
    const refused = refusal(405, "method_not_allowed", `${path} takes GET`);
    return (exchange) => exchange.refuse(refused, { allow: "GET, HEAD" });
  }

  /** List, or null before the first look is over. */
  listing(): DiscoverDocument | null {
    return this.#unreadyReason === null ? this.#nodesDocument() : null;
  }

  transport(status: TransportStatus): void {
    this.#events.transport(status);
  }

  warn(warning: DiscoveryError): void {
    this.#events.warn(warning);
  }

  /** Ends the streams of events, and is not ready any more. */
  end(): void {
    this.#isEnding = true;
    this.#events.end();
  }

  #send(
    exchange: Exchange,
    type: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    exchange.send(200, { "content-type": type, "x-content-type-options": "nosniff", ...headers }, body);
  }

  /** Clients of Ollama look for its greeting. */
  #greet(exchange: Exchange): void {
    const isBrowser = exchange.header("accept")?.includes("text/html") ?? false;
    if (isBrowser) exchange.send(200, this.#page.headers, this.#page.html);
    else exchange.text("Ollama is running");
  }

  #tellReadiness(exchange: Exchange): void {
    const reason = this.#unreadyReason;
    if (reason === null) exchange.text("ready");
    else exchange.send(503, { "content-type": "text/plain; charset=utf-8" }, reason);
  }

  #listNodes(exchange: Exchange): void {
    const document = this.#nodesDocument();
    const body = toJsonLine(document);
    const etag = `W/"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const headers = { etag, "cache-control": "no-cache" };
    if (exchange.header("if-none-match") === etag) exchange.send(304, headers, "");
    else this.#send(exchange, json, body, headers);
  }

  /** Prometheus keeps its list if this fails, and believes an empty one. */
  #listTargets(exchange: Exchange): void {
    const { discovery } = this.#options;
    const reason = this.#unreadyReason;
    if (reason === null) {
      this.#send(exchange, json, JSON.stringify(targetsOf(discovery.registry.listAlive())));
    } else {
      exchange.refuse({ ...refusal(503, "not_ready", reason), retryAfterS: 5 });
    }
  }

  #streamEvents(exchange: Exchange): void {
    const isRead = exchange.stream((response, lastId) => this.#events.read(response, lastId));
    if (isRead) return;
    const tooMany = refusal(503, "too_many_readers", "too many streams of events are open, or it is ending");
    exchange.refuse({ ...tooMany, retryAfterS: 5 });
  }

  /** Examination of this machine, at most a minute old; `Age` gives its age (RFC 9111 section 5.1). */
  async #examine(exchange: Exchange): Promise<void> {
    if (!this.#examinations) {
      return exchange.refuse(refusal(404, "no_doctor", "this endpoint examines nothing"));
    }
    try {
      const { document, endedMs } = await this.#examinations.latest();
      const age = `${Math.floor((this.#options.clock.now() - endedMs) / 1_000)}`;
      this.#send(exchange, json, toJsonLine(document), { age, "cache-control": "no-store" });
    } catch (error) {
      exchange.refuse({ ...refusal(503, "examination_failed", explain(error)), retryAfterS: 60 });
    }
  }

  get #unreadyReason(): string | null {
    return this.#isEnding ? "it is ending" : unreadyReason(this.#options.discovery);
  }

  #nodesDocument(): DiscoverDocument {
    const { registry, transports, warnings } = this.#options.discovery;
    return {
      formatVersion,
      complete: transports.every(({ settled, lost }) => settled && lost === null),
      durationMs: 0,
      nodes: registry.listAlive().map(nodeDocument),
      warnings: warnings.map(warningDocument),
    };
  }

  /** Requests to each node, and their times. */
  #trafficDocument(): unknown {
    const { discovery, picker } = this.#options;
    const nodes = discovery.registry.listAlive().map((node) => {
      const { inFlight, firstByteMs } = picker.loadOf(node);
      return { id: node.id, requests: this.traffic.answeredBy(node.id), inFlight, firstByteMs };
    });
    return { formatVersion, refused: this.traffic.answeredBy(noNode), nodes };
  }
}

const json = "application/json";

function refusal(status: number, code: string, message: string): Refusal {
  return { status, code, message, retryAfterS: null };
}
