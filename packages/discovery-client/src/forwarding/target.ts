import type { NodeInfo } from "@lmserv/discovery-core";
import type { Api } from "./call.ts";

/**
 * Path and query at a node of what a client asks for.
 *
 * They are passed on as they are, but for servers whose OpenAI API or chat endpoint lies elsewhere.
 */
export function targetOf({ openaiUrl, path }: NodeInfo, api: Api, target: string): string {
  if (api === "lmserv") return `${path ?? "/chat"}${target.slice("/chat".length)}`;
  if (api === "ollama" || openaiUrl === null) return target;
  return `${new URL(openaiUrl).pathname}${target.slice("/v1".length)}`;
}
