import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../command.mjs";
import { modulesOf } from "../entry-points.mjs";
import { readPackages } from "../workspace.mjs";

/** Parts of Node that open sockets; `node:net` also tells addresses from names. */
const sockets = ["node:dgram", "node:http", "node:https", "node:tls"];

const declarations = readPackages().flatMap(({ name, folder, manifest }) =>
  modulesOf(manifest)
    .filter(({ specifier }) => specifier.endsWith("/plugin"))
    .map(({ source }) => ({ name, source: join(root, folder, source) }))
    // A declaration that several transports share is none of a plug-in's.
    .filter(({ source }) => readFileSync(source, "utf8").includes("export const plugin")),
);

/** Modules that one loads with itself, and what they import from outside; what a call imports is not among them. */
function loadedWith(file, loaded = { files: new Set(), outside: new Set() }) {
  if (loaded.files.has(file)) return loaded;
  loaded.files.add(file);
  for (const specifier of staticImports(readFileSync(file, "utf8"))) {
    if (specifier.startsWith(".")) loadedWith(join(dirname(file), specifier), loaded);
    else loaded.outside.add(specifier);
  }
  return loaded;
}

/** Values alone: types are gone when the module is loaded. */
function staticImports(text) {
  const statements = text.matchAll(/^(?:import|export) (?!type )(?:([^;"]*?) from )?"([^"]+)";/gm);
  return [...statements]
    .filter(([, names = "*"]) => !/^\{(?:\s*type [^,}]+,?)+\s*\}$/.test(names))
    .map(([, , specifier]) => specifier);
}

describe.each(declarations)("the declaration of $name", ({ source }) => {
  const { files, outside } = loadedWith(source);

  test("loads no transport, no socket and no package of others", () => {
    const names = [...files].map((file) => relative(dirname(source), file));
    expect(names.filter((name) => /^(?:index|transport|session)\.ts$/.test(name))).toEqual([]);
    const foreign = [...outside].filter((one) => !one.startsWith("@lmserv/") && !one.startsWith("node:"));
    expect([...foreign, ...sockets.filter((socket) => outside.has(socket))]).toEqual([]);
  });

  test("is what the transport is loaded through", () => {
    expect(readFileSync(source, "utf8")).toMatch(/await import\("\.\/\w/);
  });
});

test("imports of values are told from those of types", () => {
  const text = `import { type A, b } from "./one.ts";
import type { C } from "./two.ts";
import { type D, type E } from "./three.ts";
import "./four.ts";
export * from "./five.ts";
const late = () => import("./six.ts");
`;
  expect(staticImports(text)).toEqual(["./one.ts", "./four.ts", "./five.ts"]);
});

test("every transport declares itself", () => {
  expect(declarations.length).toBeGreaterThanOrEqual(5);
});
