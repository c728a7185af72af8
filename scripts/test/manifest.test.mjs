import { describe, expect, test } from "vitest";
import { completeManifest, formatManifest } from "../manifest.mjs";
import { readManifest, readPackages, readProjects } from "../workspace.mjs";

const packages = readPackages();

test("only libraries and commands are published", () => {
  const folders = packages.map(({ folder }) => folder);
  expect(folders).toContain("packages/discovery-core");
  expect(folders.filter((folder) => !/^(packages|apps)\//.test(folder))).toEqual([]);
  expect(readManifest().private).toBe(true);
});

// pnpm writes it in the place of `workspace:` and `catalog:`, and refuses to pack without one.
test.each(readProjects())("$name has a version", ({ manifest }) => {
  expect(manifest.version).toMatch(/^\d+\.\d+\.\d+/);
});

describe.each(packages)("$name", ({ folder, manifest }) => {
  test("says what all packages say; `npm run fix` completes it", () => {
    const text = formatManifest(completeManifest(manifest, folder));
    expect(formatManifest(manifest).split("\n")).toEqual(text.split("\n"));
  });

  test("says what it is", () => {
    expect(manifest.description).toMatch(/^\p{Lu}.*\.$|\?$/u);
    expect(manifest.keywords.length).toBeGreaterThan(0);
  });

  test("has entry points; modules have their source, their types and nothing but ESM", () => {
    const targets = Object.values(manifest.exports);
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets.filter((target) => typeof target === "object")) {
      expect(Object.keys(target)).toEqual(["@lmserv/source", "types", "default"]);
    }
  });
});
