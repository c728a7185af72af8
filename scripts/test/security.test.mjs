import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";

const page = readFileSync(join(root, "SECURITY.md"), "utf8");
const promises = page.slice(page.indexOf("## What is promised"), page.indexOf("## What is not promised"));
const rows = [
  ...promises.matchAll(/^\| (?!Attack|-)(?<attack>.*?) +\|.*\| \[(?<title>.+)\]\((?<file>[^)]+)\) *\|$/gm),
].map(({ groups }) => groups);

describe("SECURITY.md", () => {
  test("has a test in each row of what is promised", () => {
    const lines = promises.split("\n").filter((line) => /^\| (?!Attack|-)/.test(line));
    expect(rows.map(({ attack }) => attack)).toEqual(lines.map((line) => line.split("|")[1].trim()));
    expect(rows.length).toBeGreaterThan(20);
  });

  test.each(rows)("names a test of $attack that is there", ({ title, file }) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(readFileSync(join(root, file), "utf8")).toContain(title);
  });
});
