import type { Choice } from "../picker/picker.ts";
import type { Api, Call } from "./call.ts";

/** An answer of our own, in place of one by a node. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** Machine-readable cause, such as `model_not_found`. */
  readonly code: string;
  /** Cause and remedy, for people. */
  readonly message: string;
  /** Seconds after which another try may help, or null. */
  readonly retryAfterS: number | null;
}

/** A node that was asked in vain. */
export interface FailedAttempt {
  /** Name of the node, for people. */
  readonly node: string;
  readonly why: string;
}

/** Names that a message lists at most. */
const maxNames = 20;
const retryAfterS = 5;

/** Refusal of a call: no node can serve it, or all that can were asked in vain. */
export function refusalFor(
  call: Call,
  { rejected }: Choice,
  failed: readonly FailedAttempt[],
  modelsThere: readonly string[],
): Refusal {
  if (failed.length > 0) {
    const causes = failed.map(({ node, why }) => `${node}: ${why}`);
    return unavailable("no_node_answered", `no node answered: ${listed(causes)}`);
  }
  const known = rejected.filter(({ obstacle }) => obstacle !== "never");
  const troubled = rejected.filter(({ obstacle }) => obstacle === "state" || obstacle === "key");
  if (troubled.length > 0) {
    const causes = troubled.map(({ node, why }) => `${node.info || node.id}: ${why}`);
    return unavailable("no_node_available", `no node can serve this now: ${listed(causes)}`);
  }
  if (known.length > 0) return unknownModel(call.model ?? "", modelsThere);
  const causes = rejected.map(({ node, why }) => `${node.info || node.id}: ${why}`);
  const seen =
    causes.length > 0 ? `: ${listed(causes)}` : "; nodes appear within seconds of their announcement";
  return unavailable("no_node", `no suitable LLM server is known${seen}`);
}

function unknownModel(model: string, modelsThere: readonly string[]): Refusal {
  const there = modelsThere.length > 0 ? `there are: ${listed(modelsThere)}` : "no model is listed";
  const message = `no node has the model ${JSON.stringify(model)}; ${there}`;
  return { status: 404, code: "model_not_found", message, retryAfterS: null };
}

function unavailable(code: string, message: string): Refusal {
  return { status: 503, code, message, retryAfterS };
}

function listed(texts: readonly string[]): string {
  const more = texts.length > maxNames ? `, and ${texts.length - maxNames} more` : "";
  return `${texts.slice(0, maxNames).join("; ")}${more}`;
}

/** Refusal in the dialect of an API, with its headers. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Writes a refusal in the dialect of the path; `x-should-retry` keeps clients from asking the same nodes again. */
export function refusalAnswer(
  { status, code, message, retryAfterS }: Refusal,
  api: Api | null,
  path: string,
): RefusalAnswer {
  const isPlain = api === "lmserv";
  return {
    status,
    headers: {
      "content-type": isPlain ? "text/plain; charset=utf-8" : "application/json",
      "x-should-retry": "false",
      ...(retryAfterS !== null && { "retry-after": String(retryAfterS) }),
    },
    body: isPlain ? message : JSON.stringify(errorOf(status, code, message, api, path)),
  };
}

/** Ollama's clients print an object as `[object Object]`; Anthropic's want their own shape. */
function errorOf(status: number, code: string, message: string, api: Api | null, path: string): unknown {
  if (api === "ollama") return { error: message };
  const type = status < 500 ? "invalid_request_error" : "api_error";
  if (path.startsWith("/v1/messages")) return { type: "error", error: { type, message } };
  return { error: { message, type, param: null, code } };
}
