import { readFileSync } from "node:fs";
import { describe, expect, type RunnerTask, type TestContext, test } from "vitest";
import { appleGroups, requirements } from "./catalogue.ts";
import { type ConformanceMeta, type Finding, fileName, findingOf, type Provenance } from "./finding.ts";
import { isWriting, tablePath } from "./page.ts";
import { comparable, parseFindings } from "./table.ts";

/** Adds a measured figure to the table. */
export type Note = (measured: string) => void;

/** Defines a test of the requirement with that number; `name` describes the host's behaviour. */
export type DefineRequirement = (
  id: number,
  name: string,
  provenance: Provenance,
  body: (note: Note) => Promise<void>,
) => void;

declare module "vitest" {
  interface TaskMeta {
    conformance?: ConformanceMeta;
  }
}

/** Tests of requirements, several at once; the last one compares the results with the page. */
export function conformance(theme: string, define: (requirement: DefineRequirement) => void): void {
  describe(theme, () => defineAll(define));
}

export function defineAll(define: (requirement: DefineRequirement) => void): void {
  describe.concurrent("keeps", () => define(defineRequirement));
  test.skipIf(isWriting)("the committed table says the same", ({ task }) => {
    const { filepath, tasks } = task.file;
    const found = findingsIn(tasks, filepath);
    const committed = parseFindings(readFileSync(tablePath, "utf8"));
    const here = committed.filter(({ file }) => file === fileName(filepath));
    expect(comparable(found)).toEqual(comparable(here));
  });
}

const defineRequirement: DefineRequirement = (id, name, provenance, body) => {
  assertKnown(id, provenance.apple ?? []);
  const meta: ConformanceMeta = { id, name, ...provenance };
  test(`${id}: ${name}`, { meta: { conformance: meta } }, async ({ task }: TestContext) => {
    await body((measured) => {
      task.meta.conformance = { ...meta, measured };
    });
  });
};

function assertKnown(id: number, apple: readonly string[]): void {
  if (!requirements.some((requirement) => requirement.id === id)) {
    throw new RangeError(`requirement ${id} is not in the catalogue`);
  }
  const unknown = apple.find((group) => !(group in appleGroups));
  if (unknown !== undefined) throw new RangeError(`Apple's group ${unknown} is not in the catalogue`);
}

function findingsIn(tasks: readonly RunnerTask[], path: string): Finding[] {
  return tasks.flatMap((task) => {
    if (task.type === "suite") return findingsIn(task.tasks, path);
    const meta = task.meta.conformance;
    return meta ? [findingOf(meta, path, task.result?.state)] : [];
  });
}
