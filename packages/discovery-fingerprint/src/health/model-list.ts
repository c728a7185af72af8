import type { Model } from "@lmserv/discovery-core";
import { valueAt } from "../http/json.ts";
import { maxListedModels, maxModelLength } from "../http/limits.ts";
import type { Reply } from "../http/reply.ts";
import { readWord } from "../http/text.ts";
import type { HealthPlan, LoadedModels, ModelDetails } from "./health-plan.ts";

/** Models of a server, those known before first, with the details of its answers; 1,024 at most. */
export function describeModels(
  names: readonly string[],
  plan: HealthPlan,
  replies: readonly Reply[],
): readonly Model[] {
  const models = new Map<string, Model>(names.map((name) => [name, { name }]));
  for (const details of plan.models) addDetails(models, details, replies);
  const [only] = models.values();
  const contextLength = models.size === 1 ? readContext(plan, replies) : undefined;
  if (only && contextLength !== undefined) return [{ ...only, contextLength }];
  return [...models.values()];
}

/** Names of the models in memory, 1,024 at most. */
export function loadedModels(
  models: readonly Model[],
  { loaded }: HealthPlan,
  replies: readonly Reply[],
): readonly string[] {
  if (loaded === "all") return models.map(({ name }) => name);
  for (const list of loaded) {
    const entries = entriesAt(list, replies);
    if (entries !== null) return namesOf(entries, list);
  }
  return [];
}

function addDetails(models: Map<string, Model>, details: ModelDetails, replies: readonly Reply[]): void {
  for (const entry of entriesAt(details, replies) ?? []) {
    const name = readName(entry, details.name);
    if (name === null) continue;
    const known = models.get(name);
    if (!known && models.size >= maxListedModels) continue;
    models.set(name, { ...(known ?? { name }), ...readDetails(entry, details) });
  }
}

function readDetails(entry: unknown, { size, digest, contextLength }: ModelDetails): Omit<Model, "name"> {
  const bytes = size === undefined ? undefined : readCount(valueAt(entry, size));
  const hash = digest === undefined ? null : readWord(valueAt(entry, digest));
  const tokens = contextLength === undefined ? undefined : readCount(valueAt(entry, contextLength));
  return {
    ...(bytes !== undefined && { size: bytes }),
    ...(hash !== null && { digest: hash }),
    ...(tokens !== undefined && { contextLength: tokens }),
  };
}

function readContext({ context }: HealthPlan, replies: readonly Reply[]): number | undefined {
  if (context === null) return undefined;
  return readCount(valueAt(replies.find(({ path }) => path === context.path)?.json, context.at));
}

function namesOf(entries: readonly unknown[], { name, unless }: LoadedModels): readonly string[] {
  const names = new Set<string>();
  for (const entry of entries) {
    const mark = unless && valueAt(entry, unless.at);
    if (unless && typeof mark === "string" && unless.like.test(mark)) continue;
    const word = readName(entry, name);
    if (word !== null) names.add(word);
    if (names.size === maxListedModels) break;
  }
  return [...names];
}

/** Entries of a list, or the only one; null if the answer has neither. */
function entriesAt(
  { path, at }: { readonly path: string; readonly at: string },
  replies: readonly Reply[],
): readonly unknown[] | null {
  const found = valueAt(replies.find((reply) => reply.path === path)?.json, at);
  if (Array.isArray(found)) return found;
  return typeof found === "string" ? [found] : null;
}

function readName(entry: unknown, pointer: string): string | null {
  return readWord(valueAt(entry, pointer), maxModelLength);
}

function readCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
