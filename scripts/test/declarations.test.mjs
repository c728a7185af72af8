import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";
import { modulesOf } from "../entry-points.mjs";
import { readPackages } from "../workspace.mjs";

const declarations = readPackages().flatMap(({ folder, manifest }) =>
  modulesOf(manifest)
    .filter(({ specifier }) => specifier.endsWith("/plugin"))
    .map(({ specifier, output }) => ({ specifier, file: join(root, folder, output) })),
);

/** The files that a module loads with itself; what it imports when it is called is not among them. */
function loadedWith(file, loaded = new Set()) {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  const statics = readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;"]*?"(\.[^"]+)"/gm);
  for (const [, specifier] of statics) loadedWith(join(dirname(file), specifier), loaded);
  return loaded;
}

describe.each(declarations)("$specifier", ({ file }) => {
  test("loads nothing of its transport", () => {
    const loaded = [...loadedWith(file)].map((one) => one.slice(dirname(file).length + 1));
    expect(loaded).toContain("plugin.js");
    expect(
      loaded.filter((name) =>
        /^(transport|session|client|connection|querier|membership|link\/link)\b/.test(name),
      ),
    ).toEqual([]);
  });
});

test("every transport declares itself", () => {
  expect(declarations.length).toBeGreaterThanOrEqual(5);
});
