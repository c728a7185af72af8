import { modelNamesOf, type NodeInfo } from "@lmserv/discovery-core";
import type { Api } from "../forwarding/call.ts";

/** A model, and the nodes that have it. */
export interface ListedModel {
  readonly name: string;
  /** Best known description of it. */
  readonly size: number | null;
  readonly digest: string | null;
  readonly nodes: readonly NodeInfo[];
  /** Nodes that have it in memory. */
  readonly loadedBy: readonly NodeInfo[];
}

/** Models of the nodes that speak an API and answer, each name once, in the order of names; aliases too. */
export function listModels(
  nodes: readonly NodeInfo[],
  api: Api,
  aliases: Readonly<Record<string, readonly string[]>> = {},
): readonly ListedModel[] {
  const answering = nodes.filter(({ apis, health }) => apis.includes(api) && health?.state !== "silent");
  const names = new Set(answering.flatMap(modelNamesOf));
  const own = [...names].map((name) => modelOf(name, [name], answering));
  const added = Object.entries(aliases)
    .filter(([alias]) => !names.has(alias))
    .map(([alias, models]) => modelOf(alias, models, answering));
  return [...own, ...added].filter(({ nodes: there }) => there.length > 0).sort(byName);
}

function modelOf(name: string, among: readonly string[], nodes: readonly NodeInfo[]): ListedModel {
  const there = nodes.filter((node) => modelNamesOf(node).some((own) => among.includes(own)));
  const described = there
    .flatMap(({ health }) => health?.models ?? [])
    .find((model) => among.includes(model.name));
  return {
    name,
    size: described?.size ?? null,
    digest: described?.digest ?? null,
    nodes: there,
    loadedBy: there.filter(({ health }) => health?.loaded.some((loaded) => among.includes(loaded))),
  };
}

function byName(a: ListedModel, b: ListedModel): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

/** OpenAI's list of models, as `GET /v1/models` answers. */
export function openaiModels(models: readonly ListedModel[]): unknown {
  return { object: "list", data: models.map(openaiModel) };
}

/** One entry of it, as `GET /v1/models/{id}` answers. */
export function openaiModel({ name, nodes }: ListedModel): unknown {
  return { id: name, object: "model", created: 0, owned_by: nodes[0]?.server ?? "lmserv" };
}

/** Ollama's list of models, as `GET /api/tags` answers. */
export function ollamaTags(models: readonly ListedModel[]): unknown {
  return { models: models.map(ollamaModel) };
}

/** Ollama's list of models in memory, as `GET /api/ps` answers. */
export function ollamaLoaded(models: readonly ListedModel[]): unknown {
  return { models: models.filter(({ loadedBy }) => loadedBy.length > 0).map(ollamaModel) };
}

const versionPattern = /^(\d{1,9}(?:\.\d{1,9}){0,3})(-[\w.-]{1,40})?$/;

/**
 * Ollama's version, as `GET /api/version` answers: the lowest of all, since clients derive from it what they
 * may ask.
 *
 * Other kinds that speak Ollama's API make up theirs. Null if no node has one.
 */
export function ollamaVersion(nodes: readonly NodeInfo[]): unknown {
  const versions = nodes
    .flatMap(({ server, health }) => (server === "ollama" ? (health?.version ?? []) : []))
    .filter((version) => versionPattern.test(version));
  const [lowest] = versions.sort(byVersion);
  return lowest === undefined ? null : { version: lowest };
}

/** Compares number by number; prereleases come before their version. */
function byVersion(a: string, b: string): number {
  const [, numbersA = "", leadA = "~"] = versionPattern.exec(a) ?? [];
  const [, numbersB = "", leadB = "~"] = versionPattern.exec(b) ?? [];
  const [left, right] = [numbersA, numbersB].map((numbers) => numbers.split(".").map(Number));
  const at = [0, 1, 2, 3].find((index) => (left?.[index] ?? 0) !== (right?.[index] ?? 0));
  if (at !== undefined) return (left?.[at] ?? 0) - (right?.[at] ?? 0);
  return leadA < leadB ? -1 : Number(leadA > leadB);
}

function ollamaModel({ name, size, digest }: ListedModel): unknown {
  return {
    name,
    model: name,
    modified_at: "1970-01-01T00:00:00Z",
    size: size ?? 0,
    digest: digest ?? "",
    details: {},
  };
}
