import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modulesOf } from "../entry-points.mjs";
import { faultsOf, openTarball, pack } from "../tarball.mjs";
import { readPackages } from "../workspace.mjs";

const packages = readPackages();
const folder = mkdtempSync(join(tmpdir(), "lmserv-tarballs-"));
const tarballs = new Map();

beforeAll(async () => {
  for (const [name, path] of await pack(packages, folder)) tarballs.set(name, openTarball(path));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(packages)("$name, packed,", ({ name }) => {
  test("holds what it refers to and declares what it imports", () => {
    expect(faultsOf(tarballs.get(name))).toEqual([]);
  });

  test("pleases publint", async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: tarballs.get(name).data.buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });
});

const libraries = packages.filter(({ manifest }) => modulesOf(manifest).length > 0);

describe.each(libraries)("$name, packed,", ({ name, manifest }) => {
  test("has types wherever ESM is resolved", async () => {
    const { contents } = tarballs.get(name);
    const entrypoints = modulesOf(manifest).map(({ specifier }) => specifier.replace(name, "."));
    const { types, problems, entrypoints: found } = await checkPackage(contents, { entrypoints });
    expect(types).toEqual({ kind: "included" });
    // Resolutions that know no exports map, or no ESM.
    const beyond = ["node10", "node16-cjs"];
    expect(problems.filter(({ resolutionKind }) => !beyond.includes(resolutionKind))).toEqual([]);
    for (const { resolutions } of Object.values(found)) {
      expect(resolutions["node16-esm"].resolution.fileName).toMatch(/\/dist\/.*\.d\.ts$/);
      expect(resolutions.bundler.implementationResolution.fileName).toMatch(/\/dist\/.*\.js$/);
    }
  });
});

describe("a tarball", () => {
  const good = () => {
    const { manifest, files, read } = tarballs.get("@lmserv/discovery-mdns");
    return { manifest, files, read };
  };
  const withText = (tarball, file, text) => ({
    ...tarball,
    read: (other) => (other === file ? text : tarball.read(other)),
  });

  test.each([
    [
      "a stray file",
      (it) => ({ ...it, files: [...it.files, "test/x.test.ts"] }),
      /^test\/x\.test\.ts does not/,
    ],
    ["the compiler's notes", (it) => ({ ...it, files: [...it.files, "dist/.tsbuildinfo"] }), /^dist\/\.ts/],
    ["no licence", (it) => ({ ...it, files: it.files.filter((file) => file !== "LICENSE") }), /no LICENSE$/],
    ["another licence", (it) => withText(it, "LICENSE", "Mine."), /^LICENSE is another$/],
    [
      "no README",
      (it) => ({ ...it, files: it.files.filter((file) => file !== "README.md") }),
      /no README\.md$/,
    ],
    [
      "no sources",
      (it) => ({ ...it, files: it.files.filter((file) => !file.startsWith("src/")) }),
      /@lmserv\/source/,
    ],
    [
      "a lost module",
      (it) => ({ ...it, files: it.files.filter((file) => file !== "dist/cache.js") }),
      /cache\.js/,
    ],
    [
      "a version of this workspace",
      (it) => ({
        ...it,
        manifest: { ...it.manifest, dependencies: { ...it.manifest.dependencies, a: "workspace:^" } },
      }),
      /a is workspace:\^$/,
    ],
    [
      "an undeclared import",
      (it) => withText(it, "dist/index.js", 'import { a } from "@b/c/d";\n'),
      /@b\/c\/d/,
    ],
    [
      "an undeclared type",
      (it) => withText(it, "dist/index.d.ts", 'export type A = import("ws").A;\n'),
      /ws, which/,
    ],
  ])("with %s is found out", (_, spoil, fault) => {
    expect(faultsOf(good())).toEqual([]);
    expect(faultsOf(spoil(good())).join("\n")).toMatch(fault);
  });
});
