import { describe, expect, test } from "vitest";
import { readManifest, readPackages, readProjects } from "../workspace.mjs";

const packages = readPackages();
const shared = readManifest();

test("only libraries and commands are published", () => {
  const folders = packages.map(({ folder }) => folder);
  expect(folders).toContain("packages/discovery-core");
  expect(folders.filter((folder) => !/^(packages|apps)\//.test(folder))).toEqual([]);
  expect(shared.private).toBe(true);
});

// pnpm writes it in the place of `workspace:` and `catalog:`, and refuses to pack without one.
test.each(readProjects())("$name has a version", ({ manifest }) => {
  expect(manifest.version).toMatch(/^\d+\.\d+\.\d+/);
});

describe.each(packages)("$name", ({ folder, manifest }) => {
  test("says what all packages say", () => {
    expect(manifest).toMatchObject({
      homepage: `${shared.homepage.replace(/#.*/, "")}/tree/main/${folder}#readme`,
      bugs: shared.bugs,
      repository: { ...shared.repository, directory: folder },
      license: shared.license,
      type: "module",
      engines: shared.engines,
      // Attests which commit and which run of CI a tarball came from.
      publishConfig: { access: "public", provenance: true },
    });
    expect(manifest.keywords).toEqual(expect.arrayContaining(shared.keywords));
    // A command is nothing but side effects.
    expect(manifest.sideEffects).toBe(manifest.bin ? undefined : false);
  });

  test("says what it is", () => {
    expect(manifest.description).toMatch(/^\p{Lu}.*\.$|\?$/u);
  });

  test("has entry points; modules have their source, their types and nothing but ESM", () => {
    const targets = Object.values(manifest.exports);
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets.filter((target) => typeof target === "object")) {
      expect(Object.keys(target)).toEqual(["@lmserv/source", "types", "default"]);
    }
  });
});
