import type { HealthState } from "@lmserv/discovery-core";
import type { Reply } from "../http/reply.ts";
import { isShown } from "../identify/server-kind.ts";
import type { HealthPlan } from "./health-plan.ts";

/** State of a server that answers; `failing` if all its answers are errors of its own. */
export interface Condition {
  readonly state: Exclude<HealthState, "silent"> | "failing";
  /** Cause of any state but `healthy`, for people. */
  readonly reason: string | null;
}

const conditions = {
  loading: { state: "loading", reason: "it loads a model" },
  auth: { state: "auth", reason: "it wants a key" },
  busy: { state: "busy", reason: "it has no room for another request" },
  failing: { state: "failing", reason: "it answers with errors of its own" },
  healthy: { state: "healthy", reason: null },
} as const satisfies Record<string, Condition>;

/** Question that follows these answers, in the order of the questions; null if they tell enough. */
export function nextOfState({ state, otherwise }: HealthPlan, replies: readonly Reply[]): string | null {
  const last = replies.at(-1);
  if (last === undefined || last.status === 200) return state[replies.length] ?? null;
  return replies.length === 1 && isAbsent(last) ? otherwise : null;
}

/** Condition of a server by its answers to the questions of its state. */
export function conditionOf(plan: HealthPlan, asked: readonly Reply[]): Condition {
  if (asked.some(isLoading)) return conditions.loading;
  if (asked.some(({ status }) => status === 401 || status === 403)) return conditions.auth;
  if (asked.some(isRefusal) || isBusy(plan, asked)) return conditions.busy;
  return asked[0] && isFailure(asked[0]) ? conditions.failing : conditions.healthy;
}

function isBusy({ busy }: HealthPlan, replies: readonly Reply[]): boolean {
  return typeof busy === "function" ? busy(replies) : isShown(busy, replies);
}

/** llama.cpp answers every request like this until its model is loaded. */
function isLoading({ status, text }: Reply): boolean {
  return status === 503 && /\bloading\b/i.test(text ?? "");
}

/** Too many requests, or none for a while (RFC 6585 section 4, RFC 9110 section 15.6.4). */
function isRefusal({ status, headers }: Reply): boolean {
  return status === 429 || (status === 503 && headers["retry-after"] !== undefined);
}

/** The page is missing, at least as the server runs now; a lack of permission has other codes. */
function isAbsent({ status }: Reply): boolean {
  return status === 501 || (status >= 400 && status < 500 && ![401, 403, 429].includes(status));
}

/** 501 only says that it lacks the requested page. */
function isFailure({ status }: Reply): boolean {
  return status >= 500 && status !== 501;
}
