import {
  type AuthorityOptions,
  type Choice,
  createPicker,
  type Picker,
  type PickerOptions,
} from "@lmserv/discovery-client";
import {
  type Answered,
  type Api,
  Authorities,
  type Call,
  CallBody,
  Connections,
  catalogueAnswer,
  Dispatcher,
  type Headers,
  type Refusal,
  watchNodes,
} from "@lmserv/discovery-client/forwarding";
import type { Discovery, DiscoveryError, NodeInfo, TransportStatus } from "@lmserv/discovery-core";
import { type Clock, systemClock } from "@lmserv/discovery-core/transport";
import type { WellKnownDocument } from "@lmserv/discovery-fingerprint";
import { type Admission, type AdmissionOptions, hopHeader, loopRefusal } from "./admission.ts";
import { BodyBudget, bodyLimits, bodyRefusals } from "./body-budget.ts";
import type { DiscoverDocument } from "./document.ts";
import { isLetIn } from "./entrance.ts";
import { Exchange } from "./exchange.ts";
import { type RequestHandler, refuseUpgrade } from "./request-handler.ts";
import { type Route, routeOf } from "./route.ts";
import { StickyResponses } from "./sticky-responses.ts";
import type { Examine } from "./surface/examinations.ts";
import { keylessPath, Surface } from "./surface/surface.ts";
import { noNode } from "./surface/traffic.ts";

export interface GatewayOptions extends PickerOptions, AuthorityOptions, Partial<AdmissionOptions> {
  /** True to let `/api/pull`, `/api/delete` and the like reach a node. @default false */
  readonly manages?: boolean;
  /** Time limit of a connection to a node, in ms. @default 1_000 */
  readonly connectMs?: number;
  /** Version of the program, for its metrics. @default "unknown" */
  readonly version?: string;
  /** Examines this machine for the page; at most once a minute. @default none */
  readonly examine?: Examine;
  /** Receives the outcome of each request; never its content. */
  readonly onRequest?: (outcome: RequestOutcome) => void;
}

export interface RequestOutcome {
  readonly method: string;
  readonly path: string;
  /** HTTP status, or 0 when the client went before there was one. */
  readonly status: number;
  /** Id of the node that answered, or null. */
  readonly node: string | null;
  readonly attempts: number;
}

/** One endpoint for all nodes of a discovery. */
export interface Gateway extends RequestHandler {
  /** Explains the choice and order of nodes for a call. */
  explain(call: Partial<Call>): Choice;
  /** List in the form of `/lmserv/nodes`, or null before the first look is over. */
  listing(): DiscoverDocument | null;
  /**
   * Tells readers of `/lmserv/events` that a transport was lost or is back: for `onTransport` of the
   * discovery.
   */
  transportChanged(status: TransportStatus): void;
  /** Tells them of a fault: for `onWarning` of the discovery. */
  warn(warning: DiscoveryError): void;
  /** Ends the streams of events, and is not ready any more; requests under way go on. */
  drain(): void;
}

/**
 * Makes an endpoint that speaks the APIs of OpenAI, Ollama and LMServ, and forwards each request to the best
 * node.
 *
 * The caller decides on its addresses and its key: without one, on loopback only.
 *
 * @throws {TypeError} for a mistake in the options; the message names the value.
 */
export function createGateway(discovery: Discovery, options: GatewayOptions = {}): Gateway {
  const picker = createPicker(discovery.registry, options);
  const ending = new AbortController();
  const connections = new Connections();
  const dispatcher = new Dispatcher({
    picker,
    watch: watchNodes(discovery, ending.signal),
    nodes: () => discovery.registry.listAlive(),
    connections,
    authorities: new Authorities(options),
    clock: options.clock ?? systemClock,
    ...(options.aliases && { aliases: options.aliases }),
    ...(options.connectMs !== undefined && { connectMs: options.connectMs }),
  });
  const surface = new Surface({
    discovery,
    picker,
    clock: options.clock ?? systemClock,
    version: options.version ?? "unknown",
    examine: options.examine ?? null,
    signal: ending.signal,
  });
  const desk = new Desk({ picker, dispatcher, surface }, options);
  return {
    handle: (request, response) => desk.serve(new Exchange(request, response)),
    refuseUpgrade,
    explain: ({ api = "openai", model = null, conversation = null, node = null }) =>
      picker.choose({ api, model, conversation, node }),
    listing: () => surface.listing(),
    transportChanged: (status) => surface.transport(status),
    warn: (warning) => surface.warn(warning),
    drain: () => surface.end(),
    [Symbol.dispose]: () => {
      ending.abort();
      connections.close();
    },
  };
}

interface DeskParts {
  readonly picker: Picker;
  readonly dispatcher: Dispatcher;
  readonly surface: Surface;
}

/** Serves one request after the other. */
class Desk {
  readonly #picker: Picker;
  readonly #dispatcher: Dispatcher;
  readonly #surface: Surface;
  readonly #clock: Pick<Clock, "now">;
  readonly #options: GatewayOptions;
  readonly #admission: Admission;
  readonly #bodies = new BodyBudget(bodyLimits);
  readonly #sticky = new StickyResponses();

  constructor({ picker, dispatcher, surface }: DeskParts, options: GatewayOptions) {
    const { key = null, allowHosts = [], allowOrigins = [], hostname = "" } = options;
    this.#picker = picker;
    this.#dispatcher = dispatcher;
    this.#surface = surface;
    this.#clock = options.clock ?? systemClock;
    this.#options = options;
    this.#admission = { key, allowHosts, allowOrigins, hostname, hasFlags: true };
  }

  async serve(exchange: Exchange): Promise<void> {
    const outcome = { node: null as string | null, attempts: 0 };
    try {
      await this.#serve(exchange, outcome);
    } catch {
      // The client has gone, in the middle of its own request or before the answer.
      exchange.request.destroy();
    }
    const { method, path, status } = exchange;
    this.#options.onRequest?.({ method, path, status, ...outcome });
  }

  async #serve(exchange: Exchange, outcome: { node: string | null; attempts: number }): Promise<void> {
    // Supervisors of processes have no key.
    const isKeyless = exchange.path === keylessPath;
    if (!isLetIn(exchange, isKeyless ? { ...this.#admission, key: null } : this.#admission)) return;
    const loop = loopRefusal(exchange.request);
    if (loop) return exchange.refuse(loop);
    const answer = this.#surface.answerTo(exchange);
    if (answer) return answer(exchange);
    const { method, path } = exchange;
    const route = routeOf(method, path, exchange.header("content-type") ?? "");
    if (path === documentPath) return exchange.json(document);
    const known = catalogueAnswer(method, path, this.#picker, this.#options.aliases);
    if (known !== null) return exchange.json(known);
    const closed = closedReason(route, path, this.#options.manages ?? false);
    if (closed) return exchange.refuse(closed);
    await this.#forward(exchange, route as OpenRoute, outcome);
  }

  async #forward(
    exchange: Exchange,
    route: OpenRoute,
    outcome: { node: string | null; attempts: number },
  ): Promise<void> {
    const taken = await this.#bodies.take(exchange.request);
    if (taken.kind !== "body") return exchange.refuse(bodyRefusals[taken.kind]);
    try {
      const body = taken.bytes.length === 0 ? null : new CallBody(taken.bytes);
      const call = this.#callOf(exchange, route, body);
      if (isRefusal(call)) return exchange.refuse(call);
      const { method, target, gone } = exchange;
      const sentMs = this.#clock.now();
      const headers: Headers = { ...(exchange.request.headers as Headers), via: viaOf(exchange) };
      const reply = await this.#dispatcher.dispatch({
        method,
        target,
        headers,
        hop: { [hopHeader]: "1" },
        body,
        call,
        signal: gone,
      });
      outcome.attempts = reply.attempts;
      const { traffic } = this.#surface;
      if (reply.kind === "refused") {
        traffic.count(noNode, reply.refusal.status);
        return exchange.refuse(reply.refusal);
      }
      const { id } = reply.node;
      outcome.node = id;
      traffic.count(id, reply.status);
      traffic.firstByte.observe((this.#clock.now() - sentMs) / 1_000);
      exchange.forward(reply, headersOf(reply), (beginning) => this.#sticky.note(beginning, id));
    } finally {
      taken.release();
    }
  }

  /** Call of a request, or the reason to refuse it. */
  #callOf(exchange: Exchange, route: OpenRoute, body: CallBody | null): Call | Refusal {
    const { api } = route;
    const asked = exchange.header("x-lmserv-node");
    if (route.kind !== "inference") return this.#callOfOne(route, asked);
    const model = body?.model ?? null;
    if (model === null && route.needsModel) return withoutModel;
    const node = asked ?? this.#sticky.nodeOf(body?.previousResponse ?? null);
    return { api, model, conversation: body?.conversation ?? null, node };
  }

  /** Only one node can be meant: the named one, or the only one. */
  #callOfOne({ api, kind, ...route }: OneNodeRoute, asked: string | null): Call | Refusal {
    const call: Call = { api, model: null, conversation: null, node: asked };
    const { candidates } = this.#picker.choose(call);
    const [only, ...others] = candidates;
    if (only && others.length > 0) {
      return severalNodes(
        "why" in route ? route.why : "one node is meant",
        candidates.map(({ node }) => node),
      );
    }
    return only ? { ...call, node: only.node.id } : call;
  }
}

/** Node that answered, and the count of attempts. */
function headersOf({ node, attempts }: Answered): Readonly<Record<string, string>> {
  return {
    via: "1.1 lmserv",
    "x-lmserv-node": encodeURI(node.id),
    "x-lmserv-attempts": String(attempts),
  };
}

/** Protocols and names of the hops so far (RFC 9110 section 7.6.3). */
function viaOf(exchange: Exchange): string {
  return [exchange.header("via"), "1.1 lmserv"].filter((hop) => hop !== null).join(", ");
}

type OneNodeRoute = Extract<Route, { readonly kind: "one-node" | "management" }>;
type OpenRoute = Extract<Route, { readonly api: Api }>;

/** Tells sweeps that this is no LLM server: a gateway is never forwarded to, nor listed. */
const documentPath = "/.well-known/lmserv.json";
const document: WellKnownDocument = { schemaVersion: 1, role: "gateway", servers: [] };

function closedReason(route: Route, path: string, manages: boolean): Refusal | null {
  if (route.kind === "unknown") {
    return refusal(
      404,
      "unknown_url",
      `${path} is no path of this endpoint; there are /v1/..., /api/... and /chat`,
    );
  }
  if (route.kind === "refused-method") {
    return refusal(
      405,
      "method_not_allowed",
      `${path} takes GET, HEAD and POST; ask the node itself for more`,
    );
  }
  if (route.kind !== "management" || manages) return null;
  return refusal(403, "management_refused", `${path} changes the models of a node; ask that node itself`);
}

const withoutModel = refusal(
  400,
  "missing_model",
  "the request names no model; the body needs a string `model`",
);

function severalNodes(why: string, nodes: readonly NodeInfo[]): Refusal {
  const places = nodes.map(({ info, id, baseUrl }) => `${info || id} at ${baseUrl ?? id}`);
  const message = `${why}; name it in the header x-lmserv-node, or ask it itself: ${places.join("; ")}`;
  return refusal(501, "one_node_needed", message);
}

function isRefusal(value: Call | Refusal): value is Refusal {
  return "status" in value;
}

function refusal(status: number, code: string, message: string): Refusal {
  return { status, code, message, retryAfterS: null };
}
