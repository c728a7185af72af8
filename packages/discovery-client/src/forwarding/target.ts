import type { NodeInfo } from "@lmserv/discovery-core";
import type { Api } from "./call.ts";

/**
 * Path and query at a node for a client's request.
 *
 * They are passed on unchanged, except to servers whose OpenAI API or chat endpoint lies elsewhere.
 */
export function targetOf({ openaiUrl, path }: NodeInfo, api: Api, target: string): string {
  if (api === "lmserv") return `${path ?? "/chat"}${target.slice("/chat".length)}`;
  if (api === "ollama" || openaiUrl === null) return target;
  return `${new URL(openaiUrl).pathname}${target.slice("/v1".length)}`;
}
