import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";
import { listFiles } from "../workspace.mjs";
import { faultsOfComments } from "./plain-comments.mjs";

// The mesh and its benchmark are still to be written anew.
const pending = /^(?:packages\/discovery-mesh|bench\/src\/mesh)\//;

test("comments have a subject and a verb, and name no persons", () => {
  const files = listFiles().filter((file) => /\.(?:ts|mjs|js)$/.test(file) && !pending.test(file));
  expect(files.length).toBeGreaterThan(500);
  const faults = files.flatMap((file) => faultsOfComments(file, readFileSync(join(root, file), "utf8")));
  expect(faults).toEqual([]);
});

describe("a comment", () => {
  test.each([
    ["/** Whether it is open. */", "whether: a.ts:1"],
    ["let a = 1; // who asks", "who: a.ts:1"],
    ["/**\n * Opens it.\n *\n * @param a - How many.\n */", "how: a.ts:1"],
    ["\n// Read by nobody.", "nobody: a.ts:2"],
    ["/* Somebody\n * else. */", "somebody: a.ts:1"],
  ])("that begins or ends so is refused: %j", (text, fault) => {
    expect(faultsOfComments("a.ts", text)).toEqual([fault]);
  });

  test.each([
    "// Lines that go on,\n// which is where they do.",
    "const text = '// Who?' + '/* nobody */' + `// What?`;",
    "/** Howitzers are besides the point. */",
    "const pattern = /\\/\\/ what/;",
  ])("with a subject stands, and so does other text: %j", (text) => {
    expect(faultsOfComments("a.ts", text)).toEqual([]);
  });
});
