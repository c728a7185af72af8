import type { Registry } from "../../src/authors.ts";
import type { RegistryChange } from "../../src/index.ts";

/** Change in a few words: `up box`, `down box goodbye`. */
export function inWords(changes: readonly RegistryChange[]): string[] {
  return changes.map((change) =>
    [change.kind, change.node.id, ...(change.kind === "down" ? [change.reason] : [])].join(" "),
  );
}

/** Ids of listed nodes, in the order of arrival. */
export function listed(registry: Registry): string[] {
  return registry.listAlive().map((node) => node.id);
}
