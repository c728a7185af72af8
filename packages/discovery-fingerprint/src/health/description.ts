import type { Model, Scheme } from "@lmserv/discovery-core";
import { assertPort, type Clock } from "@lmserv/discovery-core/transport";
import { maxListBytes, patient } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { TrustStores } from "../http/trust-stores.ts";
import { type Exchange, withEitherScheme, withExchange } from "../identify/exchange.ts";
import { assertAddress } from "../identify/fingerprint.ts";
import type { Fingerprint } from "../identify/fingerprint-result.ts";
import type { Identification } from "../identify/identification.ts";
import { serverKinds } from "../identify/server-kinds.ts";
import { type Condition, conditionOf, nextOfState } from "./condition.ts";
import { type HealthPlan, healthPlanOf } from "./health-plan.ts";
import type { AskHealth, HealthOutcome, HealthQuestion, ServerLists } from "./health-question.ts";
import { describeModels, loadedModels } from "./model-list.ts";

/** Time limit for all questions of a check, in ms: three SYNs, or a slow server. */
const checkPatience = { connectMs: patient.totalMs, totalMs: patient.totalMs };
/**
 * Bound on the GET requests of a description: four for the kind, two for the state, three for the models, one
 * for the path.
 */
const maxDescriptionQuestions = 10;

/** Everything that a server tells without a key. */
export interface ServerProfile {
  readonly kind: "server";
  readonly identification: Identification;
  /** At most 1,024. */
  readonly models: readonly Model[];
  /** Names of the models in memory; empty when unknown. */
  readonly loaded: readonly string[];
  /** Null if it fell silent before that question. */
  readonly condition: Condition | null;
}

export interface DescribeOptions {
  readonly clock: Clock;
  /** Aborting it rejects with its reason. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /** @default plain HTTP, and TLS if a TLS server refuses that */
  readonly scheme?: Scheme;
}

/**
 * Asks a server for its kind, models and state, with at most ten GET requests in 4 s.
 *
 * It never asks for an inference, nor for anything that loads a model. The result for other ports is that of
 * `look`.
 *
 * Rejects with `signal.reason`, and never for an act of the other side.
 *
 * @throws {TypeError | RangeError} when `host` is no address or `port` no port.
 */
export async function describeServer(
  options: DescribeOptions,
): Promise<ServerProfile | Exclude<Fingerprint, { readonly kind: "server" }>> {
  assertAddress(options.host);
  assertPort(options.port);
  const asked = {
    ...options,
    patience: checkPatience,
    maxQuestions: maxDescriptionQuestions,
    maxBodyBytes: maxListBytes,
  };
  return withEitherScheme(asked, describe);
}

async function describe(exchange: Exchange): Promise<Awaited<ReturnType<typeof describeServer>>> {
  const result = await exchange.identify();
  if (result.kind !== "server") return result;
  const { identification } = result;
  const plan = healthPlanOf(identification.server);
  const condition = await askCondition(exchange, plan);
  return { kind: "server", identification, ...(await askModels(exchange, identification, plan)), condition };
}

/** Null without an answer. */
async function askCondition(exchange: Exchange, plan: HealthPlan): Promise<Condition | null> {
  const replies: Reply[] = [];
  for (let path = nextOfState(plan, replies); path !== null; path = nextOfState(plan, replies)) {
    const reply = await exchange.ask(path);
    if (reply === null) break;
    replies.push(reply);
  }
  return replies.length > 0 ? conditionOf(plan, replies) : null;
}

async function askModels(
  exchange: Exchange,
  identification: Identification,
  plan: HealthPlan,
): Promise<Pick<ServerLists, "models" | "loaded">> {
  const { models: lists, context, loaded: memory } = plan;
  const paths = [...lists, ...(context ? [context] : []), ...(memory === "all" ? [] : memory)];
  for (const { path } of paths) await exchange.ask(path);
  const models = describeModels(identification.models, plan, exchange.replies);
  return { models, loaded: loadedModels(models, plan, exchange.replies) };
}

export interface CheckHealthOptions extends DescribeOptions {
  /** Kind of server, such as `ollama`, which decides on the questions; null if unknown. */
  readonly server: string | null;
}

/**
 * Asks a server for its state, with one GET request, or two if one does not tell, in 4 s.
 *
 * Rejects with `signal.reason`, and never for an act of the other side.
 *
 * @throws {TypeError | RangeError} when `host` is no address or `port` no port.
 */
export async function checkHealth({
  server,
  scheme = "http",
  ...options
}: CheckHealthOptions): Promise<HealthOutcome> {
  assertAddress(options.host);
  assertPort(options.port);
  const { host, port, clock, signal } = options;
  return healthAsker(clock)({ host, port, scheme, server, path: null, lists: false }, signal);
}

export interface AskingOptions {
  /** Time limit for all questions of a check, in ms. @default 4_000 */
  readonly timeoutMs?: number;
  /** True to require a trusted certificate even without a key. @default false */
  readonly verifies?: boolean;
}

/** Asks over HTTP or TLS; a question with a key requires a trusted certificate. */
export function healthAsker(
  clock: Clock,
  { timeoutMs = patient.totalMs, verifies = false }: AskingOptions = {},
): AskHealth {
  const stores = new TrustStores();
  return ({ host, port, scheme, key = null, ca = null, ...question }, signal) => {
    const maxQuestions = question.lists ? maxDescriptionQuestions : 2;
    const options = {
      host,
      port,
      scheme,
      clock,
      signal,
      key,
      verifies,
      trust: scheme === "https" && ca !== null ? stores.of(ca) : null,
      patience: { connectMs: timeoutMs, totalMs: timeoutMs },
      maxQuestions,
      maxBodyBytes: maxListBytes,
    };
    return withExchange(options, (exchange) => answer(exchange, { host, port, scheme, ...question }, clock));
  };
}

async function answer(exchange: Exchange, question: HealthQuestion, clock: Clock): Promise<HealthOutcome> {
  const startedMs = clock.now();
  const plan = healthPlanOf(question.server);
  await exchange.ask(plan.state[0]);
  const latencyMs = clock.now() - startedMs;
  const condition = await askCondition(exchange, plan);
  if (condition === null) return { kind: "silence", why: exchange.silence ?? "no-answer" };
  if (condition.state === "failing") return { kind: "silence", why: "failing" };
  const lists = question.lists ? await askLists(exchange, question) : null;
  const { state, reason } = (await askRecognised(exchange, question, lists)) ?? condition;
  if (state === "failing") return { kind: "silence", why: "failing" };
  return { kind: "answer", state, reason, latencyMs, lists };
}

/** Condition by the recognised kind of a server; null if no more questions are needed. */
async function askRecognised(
  exchange: Exchange,
  { server }: HealthQuestion,
  lists: ServerLists | null,
): Promise<Condition | null> {
  const found = lists?.description?.server ?? null;
  return server === null && found !== null ? askCondition(exchange, healthPlanOf(found)) : null;
}

/** Null if it fell silent before its kind was known. */
async function askLists(exchange: Exchange, question: HealthQuestion): Promise<ServerLists | null> {
  const result = await exchange.identify();
  if (result.kind === "silent") return null;
  if (result.kind !== "server") return nothing;
  const { identification } = result;
  const { server, path, apis, auth, version } = identification;
  const lists = await askModels(exchange, identification, healthPlanOf(server));
  const isPathMissing = await askPath(exchange, question.path, identification);
  return { ...lists, description: { server, path, apis, auth }, version, isPathMissing };
}

const nothing: ServerLists = {
  models: [],
  loaded: [],
  description: null,
  version: null,
  isPathMissing: false,
};

/**
 * Known chat endpoints, of which a GET generates nothing. Other paths are not asked for, since any host may
 * announce them.
 */
const askable: ReadonlySet<string> = new Set(serverKinds.map(({ chat }) => chat));
/** Chat endpoints of the APIs; several servers answer 404 to a GET of an existing one. */
const pathsOfApis: Readonly<Record<string, readonly string[]>> = {
  lmserv: ["/chat"],
  openai: ["/v1/chat/completions"],
  ollama: ["/api/chat"],
};

/** True if the server lacks an announced path. */
async function askPath(
  exchange: Exchange,
  announced: string | null,
  { path, apis }: Identification,
): Promise<boolean> {
  const served = [path, ...apis.flatMap((api) => pathsOfApis[api] ?? [])];
  if (announced === null || served.includes(announced) || !askable.has(announced)) return false;
  return (await exchange.ask(announced))?.status === 404;
}
