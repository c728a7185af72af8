import type { NodeInfo } from "@lmserv/discovery-core";
import type { Api } from "../forwarding/call.ts";
import type { Picker } from "../picker/picker.ts";
import {
  listModels,
  ollamaLoaded,
  ollamaTags,
  ollamaVersion,
  openaiModel,
  openaiModels,
} from "./catalogue.ts";

const modelPrefix = "/v1/models/";

/**
 * Answer to a question about models or versions by the usable nodes, or null for any other question.
 *
 * A missing model is left to the nodes, which refuse it and name theirs. So is an unknown version.
 */
export function catalogueAnswer(
  method: string,
  path: string,
  picker: Pick<Picker, "choose">,
  aliases?: Readonly<Record<string, readonly string[]>>,
): unknown {
  if (method !== "GET") return null;
  const models = (api: Api) => listModels(usableNodes(picker, api), api, aliases);
  if (path === "/v1/models") return openaiModels(models("openai"));
  if (path === "/api/tags") return ollamaTags(models("ollama"));
  if (path === "/api/ps") return ollamaLoaded(models("ollama"));
  if (path === "/api/version") return ollamaVersion(usableNodes(picker, "ollama"));
  const wanted = wantedModel(path);
  const model = models("openai").find(({ name }) => name === wanted);
  return model ? openaiModel(model) : null;
}

/** Name in a path about one model; null for any other path, and for escapes that make no text. */
function wantedModel(path: string): string | null {
  if (!path.startsWith(modelPrefix)) return null;
  try {
    return decodeURIComponent(path.slice(modelPrefix.length));
  } catch {
    return null;
  }
}

/** Nodes to which a request may go, in the order of their ids: the best one changes with each request. */
function usableNodes(picker: Pick<Picker, "choose">, api: Api): readonly NodeInfo[] {
  const { candidates } = picker.choose({ api, model: null, conversation: null, node: null });
  return candidates.map(({ node }) => node).sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
}
