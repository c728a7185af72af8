import { modelNamesOf, type NodeInfo, visibleText } from "@lmserv/discovery-core";
import type { Gateway } from "@lmserv/discovery-gateway";
import { cutMiddle } from "../output/cells.ts";

/** Models that one line names. */
const maxModels = 12;
/** Nodes that one line names for each of them. */
const maxNodes = 8;
/** Announced names have any length; in cells. */
const maxName = 48;
const apis = ["openai", "ollama", "lmserv"] as const;

/** Text such as `serving llama3 (gpu-box, laptop), phi (laptop)`. */
export function servedModels(gateway: Pick<Gateway, "explain">): string {
  const usable = usableNodes(gateway);
  if (usable.length === 0) return "no server can be used yet";
  const models = [...new Set(usable.flatMap(modelNamesOf))].sort();
  if (models.length === 0) return `${usable.length} of the servers can be used; none lists a model`;
  const named = models.slice(0, maxModels).map((model) => {
    const nodesOfModel = usable.filter((node) => modelNamesOf(node).includes(model));
    const names = nodesOfModel.slice(0, maxNodes).map(({ info, id }) => nameOf(info || id));
    return `${nameOf(model)} (${names.join(", ")}${more(nodesOfModel.length - maxNodes)})`;
  });
  return `serving ${named.join(", ")}${more(models.length - maxModels)}`;
}

function nameOf(text: string): string {
  return cutMiddle(visibleText(text), maxName);
}

function more(count: number): string {
  return count > 0 ? `, and ${count} more` : "";
}

/** Nodes that were checked and can be chosen, by name: the best one changes with each request. */
function usableNodes(gateway: Pick<Gateway, "explain">): readonly NodeInfo[] {
  const chosen = apis.flatMap((api) => gateway.explain({ api }).candidates.map(({ node }) => node));
  const checked = chosen.filter(({ health }) => health !== null);
  const unique = [...new Map(checked.map((node) => [node.id, node])).values()];
  const keyOf = ({ info, id }: NodeInfo): string => `${info} ${id}`;
  return unique.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
