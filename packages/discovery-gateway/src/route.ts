import { type Api, apiOf } from "@lmserv/discovery-client/forwarding";

/** Route of a request, by its method and path. */
export type Route =
  /** Any node with the model can answer. */
  | { readonly kind: "inference"; readonly api: Api; readonly needsModel: boolean }
  /** Only the node with the state can answer. */
  | { readonly kind: "one-node"; readonly api: Api; readonly why: string }
  /** Changes the models of a node. */
  | { readonly kind: "management"; readonly api: Api }
  | { readonly kind: "unknown" }
  /** No route has that method. */
  | { readonly kind: "refused-method" };

/** Methods of requests that any node may answer: deleting or replacing concerns one node. */
const inferring: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"]);
const managing = /^\/api\/(?:pull|push|delete|create|copy|blobs)(?:\/|$)/i;
const stateful =
  /^\/v1\/(?:files|batches|fine_tuning|threads|assistants|vector_stores|uploads|responses\/|conversations)/;

export function routeOf(method: string, path: string, contentType: string): Route {
  const meant = meaningOf(path);
  const api = apiOf(path);
  if (api === null || meant === null) return { kind: "unknown" };
  if (managing.test(meant)) return { kind: "management", api };
  if (stateful.test(meant)) return { kind: "one-node", api, why: `${path} is kept by one node` };
  if (contentType.startsWith("multipart/")) {
    return { kind: "one-node", api, why: "a form is sent to one node, and its model is not read" };
  }
  if (!inferring.has(method)) return { kind: "refused-method" };
  return { kind: "inference", api, needsModel: method === "POST" && api !== "lmserv" };
}

/**
 * Path as servers read it, without its escapes, or null if they may read different ones.
 *
 * Servers resolve `.`, `..`, `//` and `\` in different ways: such a path could pass for another one here.
 */
function meaningOf(path: string): string | null {
  try {
    const meant = decodeURIComponent(path);
    return /\/\/|\\|\/\.\.?(?:\/|$)/.test(meant) ? null : meant;
  } catch {
    return null;
  }
}
