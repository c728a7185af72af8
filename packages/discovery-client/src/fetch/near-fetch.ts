import type { Discovery } from "@lmserv/discovery-core";
import { type Clock, linkedAbort, sleep, systemClock } from "@lmserv/discovery-core/transport";
import { Authorities, type AuthorityOptions } from "../forwarding/authorities.ts";
import { apiOf, type Call } from "../forwarding/call.ts";
import { Connections } from "../forwarding/connections.ts";
import { Dispatcher } from "../forwarding/dispatcher.ts";
import { type NodeWatch, watchNodes } from "../forwarding/node-watch.ts";
import { type Refusal, refusalAnswer } from "../forwarding/refusal.ts";
import { catalogueAnswer } from "../models/catalogue-answer.ts";
import { type Choice, createPicker, type Picker, type PickerOptions } from "../picker/picker.ts";
import { callOf, type FetchRequest, readFetch } from "./fetch-request.ts";
import { fetchResponse } from "./fetch-response.ts";

export interface NearFetchOptions extends PickerOptions, AuthorityOptions {
  /** Wait for a first node, in ms, at least 0. @default 3_000 */
  readonly waitMs?: number;
  /** Time limit of a connection to a node, in ms. @default 1_000 */
  readonly connectMs?: number;
}

/** A `fetch` whose server is the best node. */
export interface NearFetch {
  /** Base URL for clients of OpenAI's API, `http://lmserv.invalid/v1`; a `fetch` that was forgotten fails there. */
  readonly baseURL: string;
  /** Origin for all other clients: `http://lmserv.invalid`. */
  readonly origin: string;
  /**
   * Works as the global `fetch`, to which requests to other hosts go.
   *
   * Another node is tried until the first byte of an answer is there. Redirects are not followed. No time-out but
   * the caller's signal.
   *
   * @throws {NoNodeError} when no node is known in time.
   */
  readonly fetch: typeof fetch;
  /** Explains the choice and order of nodes for a call. */
  explain(call: Partial<Call>): Choice;
}

/** No node is known to which a request could go. */
export class NoNodeError extends Error {
  override readonly name = "NoNodeError";
  readonly code = "NO_NODE";
}

/** A name that resolves nowhere (RFC 6761 section 6.4). */
const host = "lmserv.invalid";

/**
 * Makes a `fetch` that goes to the nodes of a discovery, for as long as that is open.
 *
 * @throws {TypeError} for a mistake in the options; the message names the value.
 */
export function nearFetch(discovery: Discovery, options: NearFetchOptions = {}): NearFetch {
  const { waitMs = 3_000, connectMs, clock = systemClock, aliases } = options;
  const picker = createPicker(discovery.registry, options);
  const watch = watchNodes(discovery);
  const nodes = () => discovery.registry.listAlive();
  const dispatcher = new Dispatcher({
    picker,
    watch,
    nodes,
    connections: new Connections(),
    authorities: new Authorities(options),
    clock,
    ...(aliases && { aliases }),
    ...(connectMs !== undefined && { connectMs }),
  });
  const startMs = clock.now();
  const toNode = async (request: FetchRequest): Promise<Response> => {
    const path = request.target.split("?", 1)[0] ?? "";
    const api = apiOf(path);
    if (api === null) return refusalResponse(unknownPath(path), request);
    const call = callOf(request, api);
    const untilMs = nodes().length > 0 ? startMs + waitMs : clock.now() + waitMs;
    await waitForNode({ picker, call, watch, clock, untilMs, signal: request.signal });
    if (nodes().length === 0) throw new NoNodeError(absence(discovery, waitMs));
    const known = catalogueAnswer(request.method, path, picker, aliases);
    if (known !== null) return Response.json(known);
    const reply = await dispatcher.dispatch({
      ...request,
      headers: { ...request.headers, "accept-encoding": "identity" },
      call,
    });
    return reply.kind === "answered"
      ? fetchResponse(reply, request.signal)
      : refusalResponse(reply.refusal, request);
  };
  return {
    origin: `http://${host}`,
    baseURL: `http://${host}/v1`,
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : input);
      return url.hostname === host ? toNode(await readFetch(input, init)) : fetch(input, init);
    },
    explain: ({ api = "openai", model = null, conversation = null, node = null }) =>
      picker.choose({ api, model, conversation, node }),
  };
}

interface Wait {
  readonly picker: Picker;
  readonly call: Call;
  readonly watch: NodeWatch;
  readonly clock: Clock;
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** Resolves when a node can serve a call, or the wait for one is over. */
async function waitForNode({ picker, call, watch, clock, untilMs, signal }: Wait): Promise<void> {
  const ending = linkedAbort(signal);
  const timeout = sleep(clock, Math.max(0, untilMs - clock.now()), ending.signal);
  let isOver = false;
  timeout.catch(() => {}).finally(() => (isOver = true));
  try {
    while (!isOver && !watch.hasEnded && picker.choose(call).candidates.length === 0) {
      await Promise.race([watch.change(), timeout]);
    }
    signal.throwIfAborted();
  } catch {
    throw signal.reason;
  } finally {
    ending.abort();
  }
}

function refusalResponse(refusal: Refusal, { target }: FetchRequest): Response {
  const path = target.split("?", 1)[0] ?? "";
  const { status, headers, body } = refusalAnswer(refusal, apiOf(path), path);
  return new Response(body, { status, headers });
}

function unknownPath(path: string): Refusal {
  const message = `${path} belongs to no API of LLM servers; there are /v1/..., /api/... and /chat`;
  return { status: 404, code: "unknown_url", message, retryAfterS: null };
}

/** Describes the cause as far as it is known. */
function absence({ warnings }: Discovery, waitMs: number): string {
  const latest = warnings.at(-1);
  const cause = latest ? `: ${latest.message}` : "; on a machine that serves one, run: lmserv announce";
  return `no LLM server was found within ${waitMs} ms${cause}`;
}
