import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { root } from "../../scripts/command.mjs";
import { targetsOf as targetsIn } from "../../scripts/entry-points.mjs";
import { runtimeDependencies } from "../../scripts/test/layers.mjs";
import { importsOf, packageOf } from "./imports.mjs";

/** Content of a tarball, unpacked into a folder: `{ manifest, files, read }`, the files relative to the package. */
export function openTarball(path, folder) {
  execFileSync("tar", ["-xzf", path, "-C", folder]);
  const place = join(folder, "package");
  const read = (file) => readFileSync(join(place, file), "utf8");
  const files = readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(place, join(entry.parentPath, entry.name)).replaceAll(sep, "/"));
  return { manifest: JSON.parse(read("package.json")), files, read };
}

/** Faults of a packed package, a line for each; none if all is well. */
export function faultsOf(tarball) {
  return [
    ...strangers(tarball),
    ...unresolved(tarball),
    ...missing(tarball),
    ...unreached(tarball),
    ...undeclared(tarball),
  ];
}

function strangers({ files, read }) {
  const faults = files
    .filter((file) => !/^(package\.json|README\.md|LICENSE|(bin|dist|schema|src)\/[^.].*)$/.test(file))
    .map((file) => `${file} does not belong there`);
  if (!files.includes("README.md")) faults.push("there is no README.md");
  if (!files.includes("LICENSE")) faults.push("there is no LICENSE");
  else if (read("LICENSE") !== readFileSync(join(root, "LICENSE"), "utf8")) faults.push("LICENSE is another");
  return faults;
}

/** Versions that only this workspace understands. */
function unresolved({ manifest }) {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies };
  return Object.entries(all)
    .filter(([, range]) => /^(workspace|catalog|link|file):/.test(range))
    .map(([name, range]) => `package.json: ${name} is ${range}`);
}

/** Files that something refers to, and that are not there. */
function missing(tarball) {
  const origins = [
    [manifestFile, targetsOf(tarball)],
    ...tarball.files.map((file) => [file, referencesOf(file, tarball)]),
  ];
  return origins.flatMap(([origin, targets]) =>
    targets
      .filter((target) => !tarball.files.includes(target))
      .map((target) => `${origin} refers to ${target}, which is not there`),
  );
}

/** Files that no entry point leads to, which are useless in the package. */
function unreached(tarball) {
  const reached = new Set([manifestFile, "README.md", "LICENSE", ...targetsOf(tarball)]);
  for (const file of reached) {
    if (!tarball.files.includes(file)) continue;
    for (const target of referencesOf(file, tarball)) reached.add(target);
  }
  return tarball.files
    .filter((file) => !reached.has(file) && !reached.has(sourceOf(file)))
    .map((file) => `${file} is reached by no export`);
}

/** The source of compiled output: a module of types alone is compiled as well, and a bundle leaves declarations. */
function sourceOf(file) {
  return file.replace(/^dist\/(.*?)(?:\.d\.ts|\.js)(?:\.map)?$/, "src/$1.ts");
}

const manifestFile = "package.json";

/** The files behind every entry point. */
function targetsOf({ manifest }) {
  const entries = [...targetsIn(manifest.exports), ...targetsIn(manifest.bin ?? {})];
  return entries.map(([, target]) => posix.normalize(target));
}

/**
 * Files of the same package that one refers to: imports, files that it reads next to it, sources of a map.
 */
function referencesOf(file, { read }) {
  const beside = (relative) => posix.join(posix.dirname(file), relative);
  if (file.endsWith(".map")) return JSON.parse(read(file)).sources.map(beside);
  if (!isModule(file)) return [];
  const text = read(file);
  const imported = importsOf(text, file)
    .filter((specifier) => specifier.startsWith("."))
    // Declarations keep the extension of the sources; compilers look for the declarations then.
    .map((specifier) => (file.endsWith(".d.ts") ? specifier.replace(/(?<!\.d)\.ts$/, ".d.ts") : specifier));
  const maps = [...text.matchAll(/^\/\/# sourceMappingURL=(\S+)$/gm)].map(([, map]) => map);
  return [...imported, ...maps].map(beside);
}

/** A module: a source, compiled JavaScript or its declarations. */
function isModule(file) {
  return /^(dist|bin|src)\/.*\.(mjs|js|ts)$/.test(file);
}

/** Packages that something imports, and that an install does not bring. */
function undeclared({ manifest, files, read }) {
  const declared = [manifest.name, ...runtimeDependencies(manifest)];
  return files
    .filter(isModule)
    .flatMap((file) => importsOf(read(file), file).map((specifier) => [file, specifier]))
    .filter(([, specifier]) => packageOf(specifier) && !declared.includes(packageOf(specifier)))
    .map(([file, specifier]) => `${file} imports ${specifier}, which package.json does not declare`);
}
