import { modelNamesOf, type NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import { formatVersion, nodeDocument, targetsOf, toJsonLine } from "@lmserv/discovery-gateway/document";
import type { ExportFormat } from "./export-formats.ts";

/** True if a node may answer a request: it is not known to be silent, and requires no key. */
function isUsable({ health, auth }: NodeInfo): boolean {
  return auth !== "required" && health?.state !== "silent" && health?.state !== "auth";
}

/**
 * Nodes in the format of another program, in an order that depends on nothing but the nodes; each line ends.
 */
export function exported(format: ExportFormat, nodes: readonly NodeInfo[]): string {
  const sorted = [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const written = writers[format](sorted);
  return typeof written === "string" ? written : toJsonLine(written);
}

/** Export without volatile parts, such as the time of the last report: a change of it is worth a new file. */
export function faceOfExport(format: ExportFormat, nodes: readonly NodeInfo[]): string {
  return exported(format, nodes.map(timeless));
}

function timeless(node: NodeInfo): NodeInfo {
  const health = node.health && { ...node.health, checkedAt: "", latencyMs: null, reason: null };
  const sources = node.sources.map((source) => ({
    ...source,
    firstSeenAt: "",
    lastSeenAt: "",
    expiresAt: null,
    relayed: false,
  }));
  return { ...node, health, sources };
}

const writers: Readonly<Record<ExportFormat, (nodes: readonly NodeInfo[]) => object | string>> = {
  prometheus: targetsOf,
  litellm: (nodes) => ({ model_list: nodes.filter(isUsable).flatMap(litellmModels) }),
  olla: (nodes) => ({ discovery: { type: "static", static: { endpoints: ollaEndpoints(nodes) } } }),
  caddy: caddyUpstreams,
  json: (nodes) => ({ formatVersion, nodes: nodes.map(nodeDocument) }),
};

/** Models of LiteLLM's `model_list`; several of one name are balanced. */
function litellmModels(node: NodeInfo): readonly object[] {
  return modelNamesOf(node).flatMap((name) => {
    const params = litellmParams(node, name);
    return params ? [{ model_name: name, litellm_params: params }] : [];
  });
}

/** Null for a node that speaks neither API. */
function litellmParams({ server, apis, baseUrl, openaiUrl }: NodeInfo, model: string): object | null {
  const isOllama = server === "ollama" || !apis.includes("openai");
  if (isOllama && apis.includes("ollama") && baseUrl !== null)
    return { model: `ollama_chat/${model}`, api_base: baseUrl };
  // LiteLLM requires a key, of any value.
  return openaiUrl === null ? null : { model: `openai/${model}`, api_base: openaiUrl, api_key: "none" };
}

/** Olla's types for server kinds; it treats all others by OpenAI's API. */
const ollaTypes: ReadonlyMap<string | null, string> = new Map([
  ["ollama", "ollama"],
  ["lmstudio", "lm-studio"],
  ["vllm", "vllm"],
  ["sglang", "sglang"],
  ["llama.cpp", "llamacpp"],
]);
const ollaPriority = 100;

/** Olla tells endpoints by their names. */
function ollaEndpoints(nodes: readonly NodeInfo[]): readonly object[] {
  return nodes.filter(isUsable).flatMap(({ id, info, baseUrl, server, apis }) => {
    const type = ollaTypes.get(server) ?? (apis.includes("openai") ? "openai-compatible" : null);
    if (baseUrl === null || type === null) return [];
    const isTwin = nodes.some((other) => other.id !== id && other.info === info);
    const name = info === "" || isTwin ? `${info} ${id}`.trim() : info;
    return [{ url: baseUrl, name, type, priority: ollaPriority }];
  });
}

/**
 * Lines for the block of `reverse_proxy` in a Caddyfile, where Caddy imports no empty file.
 *
 * The upstreams of such a block share one scheme and have no paths.
 */
function caddyUpstreams(nodes: readonly NodeInfo[]): string {
  const upstreams = nodes.filter(isUsable).flatMap(({ host, port, scheme, openaiUrl }) => {
    const isPlain = scheme === "http" && openaiUrl !== null && new URL(openaiUrl).pathname === "/v1";
    return isPlain ? [`to ${formatEndpoint(host, port)}\n`] : [];
  });
  return `# written by lmserv export caddy\n${[...new Set(upstreams)].join("")}`;
}
