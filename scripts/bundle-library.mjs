import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, parse } from "node:path";
import { rolldown } from "rolldown";
import { modulesOf } from "./entry-points.mjs";

/**
 * Bundles the sources of the present package into one file for each entry point, next to the declarations.
 *
 * Node takes longer to find and compile many modules than one, and its young generation grows from it: half
 * of the time and 5 of 58 MB of a process that discovers. Late imports stay in files of their own.
 */
const modules = modulesOf(JSON.parse(readFileSync("package.json", "utf8")));
const build = await rolldown({
  input: Object.fromEntries(modules.map(({ source, output }) => [parse(output).name, source])),
  platform: "node",
  tsconfig: true,
  transform: { target: "es2022" },
  // Other packages stay what they are, so that each is there once; a helper of the compiler would be a further one.
  external: (id) => !/^[./]|^@oxc-project/.test(id),
  onLog(level, log) {
    // A program that loads the whole package has no use for a declaration that loads it later.
    if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT") return;
    throw new Error(`${level}: ${log.message}`);
  },
});
// Chunks have other names when the imports change.
for (const file of readdirSync("dist")) if (file.startsWith("bundle")) rmSync(join("dist", file));
await build.write({
  dir: "dist",
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "bundle-[name].js",
  sourcemap: true,
  // Names stay, so that stack traces are readable.
  minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
});
await build.close();
