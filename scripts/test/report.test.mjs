import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run } from "../command.mjs";
import { countsOf } from "../report.mjs";

const files = {
  "counts.test.mjs": `
    test("passes", () => {});
    test("fails", () => expect(1).toBe(2));
    test.todo("is to be written");
    test.skip("rests", () => {});
    describe("a LAN [skipped: no ip]", () => {
      test.skip("carries", () => {});
      test.skip("ends", () => {});
    });`,
  "hook.test.mjs": `
    beforeAll(() => { throw new Error("no way"); });
    test("does not begin", () => {});`,
  "syntax.test.mjs": "import {",
};

let folder;
let report;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lmserv-report-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const file = join(folder, "report.json");
  const options = [
    "--globals",
    `--root=${folder}`,
    `--dir=${folder}`,
    "--reporter=json",
    `--outputFile=${file}`,
  ];
  await run([process.execPath, join(root, "node_modules/vitest/vitest.mjs"), "run", ...options], {
    env: { PATH: process.env.PATH },
  });
  report = JSON.parse(await readFile(file, "utf8"));
});

afterAll(() => rm(folder, { recursive: true }));

test("a report of vitest counts what passed, failed and did not run, files that did not load among it", () => {
  const { reasons, ...counts } = countsOf(report);
  expect(counts).toEqual({ passed: 1, failed: 3, skipped: 5 });
  expect(Object.fromEntries(reasons)).toEqual({
    "no ip": 2,
    "is to be written": 1,
    rests: 1,
    "does not begin": 1,
  });
});
