import type { NodeInfo } from "../contract/node.ts";

/** Ollama's tag for a name without one. */
const defaultTag = ":latest";

/** Names of a node's models, by the server's last check, or else by its announcement. */
export function modelNamesOf({ health, models }: Pick<NodeInfo, "health" | "models">): readonly string[] {
  return health && health.models.length > 0 ? health.models.map(({ name }) => name) : models;
}

/**
 * Node's name for a wanted model, or null.
 *
 * The exact name counts first, then one in another case, then one that differs in the tag `:latest` alone.
 */
export function findModel(names: readonly string[], wanted: string): string | null {
  const folded = wanted.toLowerCase();
  const untagged = withoutTag(folded);
  return (
    names.find((name) => name === wanted) ??
    names.find((name) => name.toLowerCase() === folded) ??
    names.find((name) => withoutTag(name.toLowerCase()) === untagged) ??
    null
  );
}

function withoutTag(name: string): string {
  return name.endsWith(defaultTag) ? name.slice(0, -defaultTag.length) : name;
}
