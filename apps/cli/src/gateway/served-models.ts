import type { PickPolicy } from "@lmserv/discovery-client";
import { modelNamesOf, type NodeInfo } from "@lmserv/discovery-core";

/** Models that one line names. */
const maxModels = 12;

/** `serving llama3 (gpu-box, laptop), phi (laptop)` */
export function servedModels(nodes: readonly NodeInfo[], { trust }: PickPolicy): string {
  const usable = nodes.filter(({ health, sources }) => {
    if (trust === "signed" && !sources.some((source) => source.trust === "signed")) return false;
    return health !== null && health.state !== "silent" && health.state !== "auth";
  });
  if (usable.length === 0) return "no server can be used yet";
  const models = [...new Set(usable.flatMap(modelNamesOf))].sort();
  if (models.length === 0) return `${usable.length} of the servers can be used; none lists a model`;
  const named = models.slice(0, maxModels).map((model) => {
    const nodesOfModel = usable.filter((node) => modelNamesOf(node).includes(model));
    return `${model} (${nodesOfModel.map(({ info, id }) => info || id).join(", ")})`;
  });
  const more = models.length > maxModels ? `, and ${models.length - maxModels} more` : "";
  return `serving ${named.join(", ")}${more}`;
}
