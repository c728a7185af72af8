import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve } from "node:path";
import { rolldown } from "rolldown";
import { root } from "./command.mjs";
import { readManifest } from "./workspace.mjs";

const command = join(root, "apps/cli/dist");

/**
 * Bundles the built command into one file that needs nothing but Node, or into the files of a folder, `lmserv.mjs` among
 * them; modules that are loaded late there are started late here.
 *
 * @param target - The file, which ends in `.mjs`, or the folder.
 * @param modules - Replacements of some of the command's own modules, by file name, as source text.
 */
export async function bundle(target, { modules = {} } = {}) {
  const { version } = readManifest("apps/cli");
  const replaced = {
    "version.js": `export const readVersion = () => ${JSON.stringify(version)};`,
    ...modules,
  };
  const used = new Map();
  const graph = new Map();
  const build = await rolldown({
    input: { lmserv: join(command, "main.js") },
    cwd: root,
    platform: "node",
    // The ES modules of a package are bundled: its other form may load files of its own.
    resolve: { mainFields: ["module", "main"] },
    // Compiled code is one machine's; who wants it goes on without.
    external: [/\.node$/],
    plugins: [replacing(replaced), requiring(), inlining(), loadingNodeLate(), noting(used, graph)],
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`);
    },
  });
  const output = {
    ...placeOf(resolve(target), graph),
    format: "esm",
    banner: ({ isEntry }) => (isEntry ? "#!/usr/bin/env node" : ""),
    strictExecutionOrder: true,
    // Names stay, so that stack traces are readable.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    postFooter: ({ isEntry }) => (isEntry ? licencesOf(used) : ""),
  };
  await build.write(output);
  await build.close();
}

function placeOf(target, graph) {
  if (target.endsWith(".mjs")) return { file: target, codeSplitting: false };
  // The modules of every start are one file, since each file takes its time.
  const start = { name: "start", test: (id) => reachedFrom(join(command, "main.js"), graph).has(id) };
  const names = { entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" };
  return { dir: target, cleanDir: true, ...names, codeSplitting: { groups: [start] } };
}

/** A module and all that it imports at its start. */
function reachedFrom(entry, graph) {
  const reached = new Set([entry]);
  for (const id of reached) for (const imported of graph.get(id) ?? []) reached.add(imported);
  return reached;
}

/** Has other text in the place of modules of the command. */
function replacing(modules) {
  return { name: "replacing", load: (id) => modules[relative(command, id)] ?? null };
}

/** Bundles packages that one of our modules requires, as imported ones. */
function requiring() {
  const pattern = /^const require = createRequire\(import\.meta\.url\);$/m;
  return { name: "requiring", transform: (code) => (pattern.test(code) ? code.replace(pattern, "") : null) };
}

/** Bundles as text a file next to one of our modules that it reads at its start. */
function inlining() {
  const pattern = /\breadFileSync\(new URL\("([^"]+\.html)", import\.meta\.url\), "utf8"\)/;
  const transform = (code, id) => {
    const [read, name] = code.match(pattern) ?? [];
    if (!read) return null;
    const text = readFileSync(join(id, "..", name), "utf8");
    return code.replace(read, () => JSON.stringify(text));
  };
  return { name: "inlining", transform };
}

/** Node's own modules take long to start: one that only late modules import is started with the first of these. */
function loadingNodeLate() {
  const prefix = "\0late:";
  const own = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
  // The bundler's own helpers must be loaded first.
  const isLate = (id, importer) => own.has(id) && importer?.startsWith("\0") === false;
  return {
    name: "loading-node-late",
    resolveId: (id, importer) => (isLate(id, importer) ? prefix + id : null),
    load(id) {
      if (!id.startsWith(prefix)) return null;
      const name = JSON.stringify(id.slice(prefix.length));
      return { code: `module.exports = process.getBuiltinModule(${name});`, moduleType: "js" };
    },
  };
}

/** Notes which installed packages are in the bundle, `folder -> name`, and what each module imports at its start. */
function noting(used, graph) {
  return {
    name: "noting",
    moduleParsed({ id, importedIds }) {
      graph.set(id, importedIds);
      const [folder, name] = id.match(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? [];
      if (name) used.set(folder, name);
    },
  };
}

/** Code that is passed on keeps its licence. */
function licencesOf(used) {
  const own = `@lmserv/cli\n\n${readFileSync(join(root, "LICENSE"), "utf8")}`;
  const others = [...used].map(([folder, name]) => `${name} ${licenceIn(folder)}`);
  return `\n/*!\n${[own, ...others.sort()].join("\n---\n").replaceAll("*/", "* /")}*/`;
}

/** @throws {Error} for a package that does not say on what terms it may be passed on. */
function licenceIn(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const textOf = (pattern) => {
    const file = readdirSync(folder).find((candidate) => pattern.test(candidate));
    return file ? readFileSync(join(folder, file), "utf8") : "";
  };
  const [section] = textOf(/^readme/i).match(/^#* *Licen[cs]e\b.*/ims) ?? [];
  const text = textOf(/^licen[cs]e/i) || section;
  if (!text) throw new Error(`${name} has no licence`);
  return `${version}\n\n${text.trim()}\n`;
}
