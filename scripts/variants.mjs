import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle } from "./bundle.mjs";
import { root, run } from "./command.mjs";

/** The transports of each variant, the one that is meant where none is named first; `null` for all there are. */
const variants = { lan: ["mdns"], office: ["mdns", "arp"], mesh: ["mesh"], full: null };

export const variantNames = Object.keys(variants);

/** The types of a variant's transports. */
async function transportsOf(variant) {
  return variants[variant] ?? allTransports();
}

/** Those of the built command: what it brings along, the variant `full` has. */
async function allTransports() {
  const { ownPlugins } = await import(pathToFileURL(join(root, "apps/cli/dist/config/plugins.js")));
  return [...ownPlugins.keys()];
}

/**
 * Builds `lmserv-<variant>.mjs` in a folder out of the built packages.
 *
 * Resolves with `{ variant, file, transports, bytes }`.
 */
export async function buildVariant(variant, folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, fileOf(variant));
  const [transports, all] = [await transportsOf(variant), await allTransports()];
  const others = all.filter((type) => !transports.includes(type));
  const modules = { "config/plugins.js": pluginsModule(variant, transports, others) };
  await bundle(file, { modules });
  return { variant, file, transports, bytes: statSync(file).size };
}

function fileOf(variant) {
  return `lmserv-${variant}.mjs`;
}

function packageOf(type) {
  return `@lmserv/discovery-${type}`;
}

/** Replacement of the command's own table of transports in a variant. */
function pluginsModule(variant, transports, others) {
  const imports = transports.map((type) => `import { plugin as ${type} } from "${packageOf(type)}/plugin";`);
  const advice = others.map((type) => [type, `${fileOf(variant)} is without it: use ${holdersOf(type)}`]);
  return `${imports.join("\n")}
    export const ownPlugins = new Map([${transports}].map((plugin) => [plugin.type, plugin]));
    export const elsewhere = new Map(${JSON.stringify(advice)});`;
}

/** `lmserv-office.mjs or lmserv-full.mjs` */
function holdersOf(type) {
  const holders = variantNames.filter((name) => variants[name]?.includes(type) ?? true);
  return holders.map(fileOf).join(" or ");
}

/** Count of timed starts, of which the median counts. */
const starts = 7;

/** Duration of a program of Node to its end, in ms. */
export async function startMs(...command) {
  const times = [];
  for (let i = 0; i < starts; i++) {
    const { code, output, durationMs } = await run([process.execPath, ...command]);
    if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}\n${output}`);
    times.push(durationMs);
  }
  return times.sort((one, other) => one - other)[Math.floor(starts / 2)];
}
