import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { maxItems, maxTextBytes } from "./record.ts";

/**
 * Bytes of JSON for the models of all nodes of a record: escaping may double them, and a record holds more
 * than that.
 */
const maxModelsBytes = 6_000;

/**
 * Nodes with as many of their first models as a record holds; all get the same room, and no name exceeds 255
 * bytes.
 */
export function fittedNodes(nodes: readonly ResolvedAnnouncement[]): readonly ResolvedAnnouncement[] {
  const maxBytes = maxModelsBytes / Math.max(1, nodes.length);
  return nodes.map((node) => {
    const models = firstModels(node.models ?? [], maxBytes);
    return models.length === (node.models?.length ?? 0) ? node : { ...node, models, modelsCut: true };
  });
}

function firstModels(models: readonly string[], maxBytes: number): readonly string[] {
  let bytes = 0;
  const named = models.filter((model) => Buffer.byteLength(model) <= maxTextBytes).slice(0, maxItems);
  const excess = named.findIndex((model) => {
    bytes += Buffer.byteLength(JSON.stringify(model)) + ",".length;
    return bytes > maxBytes;
  });
  return excess === -1 ? named : named.slice(0, excess);
}
