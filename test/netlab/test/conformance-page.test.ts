import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { appleGroups, requirements } from "../src/conformance/catalogue.ts";
import { fileName } from "../src/conformance/finding.ts";
import { isWriting, tablePath, testFolders } from "../src/conformance/page.ts";
import { parseFindings, renderTable } from "../src/conformance/table.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = existsSync(tablePath) ? readFileSync(tablePath, "utf8") : "";
const findings = parseFindings(page);

describe.skipIf(isWriting)("The page of the conformance tests", () => {
  test("is what the script writes", () => {
    expect(renderTable(findings)).toBe(page);
  });

  test("claims nothing without a test, and leaves out no requirement and no group of Apple's outline", () => {
    const tested = new Set(findings.map(({ id }) => id));
    expect(requirements.filter(({ id }) => !tested.has(id))).toEqual([]);
    const followed = new Set(findings.flatMap(({ follows }) => follows));
    expect(Object.keys(appleGroups).filter((group) => !followed.has(`Apple ${group}`))).toEqual([]);
  });

  test("names tests that are there", () => {
    const files = testFolders.flatMap((folder) => readdirSync(join(root, folder)).map(fileName));
    expect(findings.filter(({ file }) => !files.includes(file))).toEqual([]);
  });
});
