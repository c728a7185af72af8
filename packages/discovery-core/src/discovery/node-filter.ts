import type { NodeInfo } from "../contract/node.ts";
import { findModel, modelNamesOf } from "./model-name.ts";

/** Conditions on a node; all given ones must hold. */
export interface NodeFilter {
  /** Name of a model that the node has; case and the tag `:latest` are ignored. */
  readonly model?: string;
  /** Kind of server, such as `ollama`. */
  readonly server?: string;
  /** True if the last check must have found it healthy; without a monitor no node is. @default false */
  readonly healthy?: boolean;
}

/** True if a node meets every condition. */
export function matches(node: NodeInfo, { model, server, healthy = false }: NodeFilter): boolean {
  if (server !== undefined && node.server?.toLowerCase() !== server.toLowerCase()) return false;
  if (model !== undefined && findModel(modelNamesOf(node), model) === null) return false;
  return !healthy || node.health?.state === "healthy";
}
