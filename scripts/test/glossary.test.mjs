import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";
import { listFiles } from "../workspace.mjs";
import { readGlossary, replacedInCode, replacedInProse } from "./glossary.mjs";

const glossary = readGlossary();
const replaced = new Set(glossary.flatMap(({ replaces }) => replaces));
const files = listFiles();
const contentOf = (file) => readFileSync(join(root, file), "utf8");

test("each term has one row and a meaning, and no word is replaced by two", () => {
  expect(glossary.length).toBeGreaterThan(20);
  expect(replaced.size).toBeGreaterThan(20);
  expect(glossary.filter(({ term, meaning }) => term === "" || meaning === "")).toEqual([]);
  expect(new Set(glossary.map(({ term }) => term)).size).toBe(glossary.length);
  expect(glossary.flatMap(({ replaces }) => replaces)).toHaveLength(replaced.size);
});

test("no identifier and no file uses a replaced word", () => {
  const code = files.filter((file) => /\.(ts|mjs)$/.test(file));
  expect(code.length).toBeGreaterThan(500);
  expect(code.flatMap((file) => replacedInCode(file, contentOf(file), replaced))).toEqual([]);
});

test("the map leads to files that are there", () => {
  const [, map = ""] = contentOf("ARCHITECTURE.md")
    .split(/^## /m)
    .filter((part) => /^(Layers|Map)/.test(part));
  const [tracked, missing] = [files.map((file) => `/${file}`), []];
  for (const [, path] of map.matchAll(/`([a-z][\w./-]*(?:\/|\.(?:ts|mjs)))`/g)) {
    if (!tracked.some((file) => file.includes(`/${path}`))) missing.push(path);
  }
  expect(map).toContain("| Task");
  expect(missing).toEqual([]);
});

// Decisions and change logs keep the words of their time.
test("no page uses a replaced word", () => {
  const pages = files.filter(
    (file) => file.endsWith(".md") && !/^docs\/adr\/|^\.changeset\/|CHANGELOG/.test(file),
  );
  expect(pages.length).toBeGreaterThan(20);
  const prose = (file) =>
    file === "ARCHITECTURE.md" ? contentOf(file).split("\n## Words\n")[0] : contentOf(file);
  expect(pages.flatMap((file) => replacedInProse(file, prose(file), replaced))).toEqual([]);
});

describe("a replaced word", () => {
  const words = new Set(["roster", "pen"]);

  test("is found in any part of an identifier, and in the name of a file", () => {
    const text = 'export class FullRoster { #pen = openTypes("a roster"); } // a pen';
    expect(replacedInCode("src/a.ts", text, words)).toEqual([
      "roster: src/a.ts FullRoster",
      "pen: src/a.ts pen",
    ]);
    expect(replacedInCode("src/old-roster.test.ts", "", words)).toEqual([
      "roster: src/old-roster.test.ts old-roster.test.ts",
    ]);
  });

  test("is found in prose as a word of its own", () => {
    const page = "The Roster is open.\nA `pen` writes; the code x/roster and a pen-name stand.";
    expect(replacedInProse("a.md", page, words)).toEqual(["roster: a.md:1", "pen: a.md:2"]);
  });
});
