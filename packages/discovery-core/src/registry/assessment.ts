import { formatEndpoint } from "../addresses/address.ts";
import type { NodeHealth } from "../contract/health.ts";
import type { HealthReport, ServerDescription } from "../contract/health-monitor.ts";
import type { NodeInfo } from "../contract/node.ts";
import { urlsOf } from "./merge.ts";

/** Part of a node that a server's own answer may fill. */
type Described = Pick<NodeInfo, "server" | "path" | "apis" | "auth">;

/** True if a report concerns the node's present endpoint. */
export function isAbout({ endpoint }: HealthReport, { host, port }: NodeInfo): boolean {
  return endpoint === formatEndpoint(host, port);
}

/**
 * Node with the outcome of its last check.
 *
 * The server's own answers fill what the announcement leaves open. They replace unsigned fields only if the
 * announced path leads nowhere.
 */
export function assess(node: NodeInfo, { health, description, missingPath }: HealthReport): NodeInfo {
  const isSigned = node.sources.some(({ trust }) => trust === "signed");
  const isMisled = missingPath !== null && missingPath === node.path;
  const described = description ? describe(node, description, isMisled && !isSigned) : {};
  const assessed = { ...node, ...described };
  return { ...assessed, ...urlsOf(assessed), health };
}

function describe(node: NodeInfo, description: ServerDescription, replaces: boolean): Described {
  const [first, second] = replaces ? [description, node] : [node, description];
  return {
    server: first.server ?? second.server,
    path: first.path ?? second.path,
    apis: first.apis.length > 0 ? first.apis : second.apis,
    auth: first.auth ?? second.auth,
  };
}

/** Part of the health whose change is news: neither the time nor the reason of a check. */
export function faceOfHealth(health: NodeHealth | null): unknown {
  return health && [health.state, health.models, health.loaded];
}
