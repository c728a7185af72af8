import type { NodeInfo } from "@lmserv/discovery-core";
import { listModels, ollamaLoaded, ollamaTags, openaiModel, openaiModels } from "./catalogue.ts";

const modelPrefix = "/v1/models/";

/**
 * Answer to a question about models, out of what is known of all nodes, or null for any other question.
 *
 * A model that is not there is left to the nodes: it is refused with the names that are.
 */
export function catalogueAnswer(
  method: string,
  path: string,
  nodes: readonly NodeInfo[],
  aliases?: Readonly<Record<string, readonly string[]>>,
): unknown {
  if (method !== "GET") return null;
  if (path === "/v1/models") return openaiModels(listModels(nodes, "openai", aliases));
  if (path === "/api/tags") return ollamaTags(listModels(nodes, "ollama", aliases));
  if (path === "/api/ps") return ollamaLoaded(listModels(nodes, "ollama", aliases));
  if (!path.startsWith(modelPrefix)) return null;
  const wanted = decodeURIComponent(path.slice(modelPrefix.length));
  const model = listModels(nodes, "openai", aliases).find(({ name }) => name === wanted);
  return model ? openaiModel(model) : null;
}
