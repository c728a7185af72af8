import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Registry } from "../../src/authors.ts";
import { changeStream } from "../../src/discovery/change-stream.ts";
import type { DownReason, NodeInfo, RegistryChange } from "../../src/index.ts";
import { mergeSources } from "../../src/registry/merge.ts";
import { sourceOf } from "../../src/registry/source.ts";
import { claimOf } from "../../src/registry/trust.ts";
import { alive, at, gone } from "../observations.ts";
import { facesOf, Replica } from "../registry/replica.ts";

function node(id: string, info = ""): NodeInfo {
  return mergeSources(id, [sourceOf(claimOf(alive({ id, info }), undefined), undefined, 0)], false, String);
}

const up = (id: string, info?: string): RegistryChange => ({ kind: "up", node: node(id, info) });
const updated = (id: string, info?: string): RegistryChange => ({ kind: "updated", node: node(id, info) });
const down = (id: string, reason: DownReason = "goodbye", info?: string): RegistryChange => {
  return { kind: "down", reason, node: node(id, info) };
};

/** Result of a consumer that comes after all of `changes`. */
async function summed(changes: readonly RegistryChange[]): Promise<RegistryChange[]> {
  const never = new AbortController().signal;
  const stream = changeStream({
    signal: never,
    closed: never,
    start(sink) {
      for (const change of changes) sink.push(change);
      sink.end();
      return () => {};
    },
  });
  const found: RegistryChange[] = [];
  for await (const change of stream) found.push(change);
  return found;
}

describe("a slow consumer finds", () => {
  test.each<[string, RegistryChange[], RegistryChange[]]>([
    ["changes of different nodes in order", [up("a"), up("b"), down("c")], [up("a"), up("b"), down("c")]],
    ["a node that came and went not at all", [up("a"), updated("a", "1"), down("a")], []],
    ["a node that came and changed as new", [up("a"), updated("a", "1")], [up("a", "1")]],
    ["the last of several changes", [updated("a", "1"), updated("a", "2")], [updated("a", "2")]],
    ["a node that changed and went as gone", [updated("a", "1"), down("a")], [down("a")]],
    ["a node that went and came back as changed", [down("a"), up("a", "1")], [updated("a", "1")]],
    ["the last reason", [down("a", "expired"), up("a"), down("a", "superseded")], [down("a", "superseded")]],
    ["a node that came, went and came as new", [up("a", "1"), down("a"), up("a", "2")], [up("a", "2")]],
  ])("%s", async (_, changes, sum) => {
    expect(await summed(changes)).toEqual(sum);
  });
});

/** Outputs of a registry in pieces: the consumer reads after each piece. */
const step = fc.record({
  id: fc.constantFrom("a", "b", "c"),
  info: fc.constantFrom("", "1", "2"),
  leaves: fc.boolean(),
});
const pieces = fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 6 });

test("the sum leads where the changes lead, in no more steps than there are nodes", async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (history) => {
      const registry = new Registry();
      const replica = new Replica();
      for (const piece of history) {
        const missed = piece.flatMap(({ id, info, leaves }) => {
          const addresses = [at(`10.0.0.${id.charCodeAt(0)}`)];
          return registry.apply(leaves ? gone({ key: id }) : alive({ key: id, id, info, addresses }), 0);
        });
        const sum = await summed(missed);
        expect(sum.length).toBeLessThanOrEqual(3);
        replica.follow(sum);
        expect(replica.faces()).toEqual(facesOf(registry.listAlive()));
      }
    }),
  );
});
