import { type Mutant, memoryFixture, mutants, transportRules } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import { collectFaults } from "../src/conformance/faults.ts";

/** Ids of the rules that a mutant breaks. */
async function brokenBy({ build, declares = { announces: true, reconfirms: true } }: Mutant) {
  const broken: string[] = [];
  await collectFaults(async () => {
    for (const rule of transportRules) {
      if (!rule.applies(declares)) continue;
      await using fixture = await memoryFixture({ build: (medium) => build(medium("memory")) });
      await rule.run(fixture, declares).catch(() => broken.push(rule.id));
    }
  });
  return broken;
}

describe("each mutant breaks its rule and no other", () => {
  for (const mutant of mutants) {
    test(`${mutant.rule}: ${mutant.title}`, async () => {
      const { rule, alsoBreaks = [] } = mutant;
      expect((await brokenBy(mutant)).sort()).toEqual([rule, ...alsoBreaks].sort());
    });
  }
});

test("each rule has a mutant", () => {
  const caught = new Set(mutants.map(({ rule }) => rule));
  expect(transportRules.map(({ id }) => id).filter((id) => !caught.has(id))).toEqual([]);
});
