import { findModel, modelNamesOf, type NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import type { Api, Call } from "../forwarding/call.ts";
import type { NodeKeys } from "./node-keys.ts";
import { isNamed, isSigned, type PickPolicy } from "./policy.ts";

/** Ability of a node to serve a call. */
export type Suitability =
  /** `model`: its name at that node, or null if the call names none. */
  | { readonly kind: "suitable"; readonly model: string | null }
  | { readonly kind: "unsuitable"; readonly obstacle: Obstacle; readonly why: string };

/**
 * `never`: it cannot serve such calls. `model`: it lacks the model. `key`: it requires a key that is not
 * configured. `state`: it cannot serve them now.
 */
export type Obstacle = "never" | "model" | "key" | "state";

const names: Readonly<Record<Api, string>> = { openai: "OpenAI", ollama: "Ollama", lmserv: "LMServ" };

/**
 * Judges one node.
 *
 * @param nodes - Every listed node; `NODE/MODEL` means a node only if NODE names one of them.
 */
export function suitabilityOf(
  node: NodeInfo,
  call: Call,
  { policy, keys, nodes }: { policy: PickPolicy; keys: NodeKeys; nodes: readonly NodeInfo[] },
): Suitability {
  const never = refusalOf(node, call, policy);
  if (never !== null) return { kind: "unsuitable", obstacle: "never", why: never };
  const model = call.model === null ? null : modelOf(node, call.model, policy, nodes);
  if (call.model !== null && model === null) {
    return { kind: "unsuitable", obstacle: "model", why: `it does not have ${call.model}` };
  }
  const { health } = node;
  if (health?.state === "silent") {
    return { kind: "unsuitable", obstacle: "state", why: health.reason ?? "it does not answer" };
  }
  return lacksKey(node, keys)
    ? {
        kind: "unsuitable",
        obstacle: "key",
        why: `it wants a key, and nodeKeys has none for ${formatEndpoint(node.host, node.port)}`,
      }
    : { kind: "suitable", model };
}

function refusalOf(node: NodeInfo, call: Call, policy: PickPolicy): string | null {
  if (call.node !== null && !isNamed(node, call.node)) return `the request asks for ${call.node}`;
  if (policy.trust === "signed" && !isSigned(node)) return "it is not signed";
  if (node.host === "") return "no address of it is known";
  if (node.attributes.role === "gateway") return "it is a gateway itself";
  return speaks(node, call.api) ? null : `it does not speak ${names[call.api]}'s API`;
}

function lacksKey(node: NodeInfo, keys: NodeKeys): boolean {
  return (node.health?.state === "auth" || node.auth === "required") && keys.of(node) === null;
}

/** An announcement without an API, as the Python original makes it, is LMServ's unless it names another server. */
function speaks({ apis, server }: NodeInfo, api: Api): boolean {
  if (apis.includes(api)) return true;
  return api === "lmserv" && apis.length === 0 && (server === null || server === "lmserv");
}

/**
 * Name by which a node has a model: unchanged, by an alias, or as `NODE/MODEL`; null if it lacks the model.
 */
function modelOf(
  node: NodeInfo,
  wanted: string,
  { aliases = {} }: PickPolicy,
  nodes: readonly NodeInfo[],
): string | null {
  const own = modelNamesOf(node);
  for (const name of [wanted, ...(Object.hasOwn(aliases, wanted) ? (aliases[wanted] ?? []) : [])]) {
    const found = findModel(own, name);
    if (found !== null) return found;
  }
  const slash = wanted.indexOf("/");
  if (slash < 0) return null;
  const [named, ...others] = nodes.filter((one) => isNamed(one, wanted.slice(0, slash)));
  return named?.id === node.id && others.length === 0 ? findModel(own, wanted.slice(slash + 1)) : null;
}
