import { readFileSync } from "node:fs";
import { parse } from "node:path";
import { rolldown } from "rolldown";
import { modulesOf } from "./entry-points.mjs";

/**
 * Bundles the built modules of the package that this runs in into one file for each entry point, beside them.
 *
 * Node takes longer to find and compile many modules than one, and its young generation grows from it: half of the
 * time and 5 of 58 MB of a process that discovers. What is loaded late stays in files of its own.
 */
const modules = modulesOf(JSON.parse(readFileSync("package.json", "utf8")));
const input = modules.map(({ source, output }) => [parse(output).name, `dist/${parse(source).name}.js`]);
const build = await rolldown({
  input: Object.fromEntries(input),
  platform: "node",
  // Other packages stay what they are, so that each is there once.
  external: (id) => !/^[./]/.test(id),
  onLog(level, log) {
    // Whoever loads the whole package has no use for a declaration that loads it later.
    if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT") return;
    throw new Error(`${level}: ${log.message}`);
  },
});
await build.write({
  dir: "dist",
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "bundle-[name].js",
  sourcemap: true,
  // Names stay, for the sake of whoever reads a stack.
  minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
});
await build.close();
