import type { NodeInfo, RegistryChange } from "@lmserv/discovery-core";
import { Registry } from "@lmserv/discovery-core/transport";

import { expect, test } from "vitest";
import { FilteredChanges } from "../../src/discover/filtered-changes.ts";

function node(id: string, models: readonly string[]): NodeInfo {
  const registry = new Registry();
  const addresses = [{ address: "10.0.0.1", reach: "source" as const }];
  const rest = { hostname: null, path: null, server: null, apis: [], auth: null, attributes: {} };
  const seen = {
    id,
    trust: "announced" as const,
    port: 1,
    scheme: "http" as const,
    info: "",
    addresses,
    models,
    ...rest,
  };
  const [change] = registry.apply(
    { kind: "alive", via: "t", key: id, origin: id, heardMs: 0, ttlMs: 1_000, node: seen },
    0,
  );
  if (!change) throw new TypeError("no node");
  return change.node;
}

test("a node that fits later comes up then, and is followed to its end", () => {
  const changes = new FilteredChanges({ model: "llama3" });
  const history: RegistryChange[] = [
    { kind: "up", node: node("a", []) },
    { kind: "up", node: node("b", ["qwen"]) },
    { kind: "updated", node: node("a", ["llama3"]) },
    { kind: "updated", node: node("a", []) },
    { kind: "down", node: node("b", ["qwen"]), reason: "goodbye" },
    { kind: "down", node: node("a", []), reason: "goodbye" },
    { kind: "up", node: node("a", []) },
  ];
  const shown = history
    .map((change) => changes.take(change))
    .map((change) => change && `${change.kind} ${change.node.id}`);
  expect(shown).toEqual([null, null, "up a", "updated a", null, "down a", null]);
});
