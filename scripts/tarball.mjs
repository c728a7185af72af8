import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { createPackageFromTarballData } from "@arethetypeswrong/core";
import { root, run } from "./command.mjs";
import { targetsOf } from "./entry-points.mjs";
import { importsOf, packageOf } from "./imports.mjs";
import { runtimeDependencies } from "./layers.mjs";
import { environment } from "./setup.mjs";

/**
 * Packs packages into a folder as they are published, and resolves with the file for each name.
 *
 * @throws {Error} with what pnpm says, when one cannot be packed.
 */
export async function pack(packages, folder) {
  const filters = packages.map(({ name }) => `--filter=${name}`);
  const command = ["pnpm", ...filters, "pack", "--pack-destination", folder, "--json"];
  const { code, stdout, output } = await run(command, await environment());
  if (code !== 0) throw new Error(output);
  const packed = JSON.parse(stdout);
  return new Map([packed].flat().map(({ name, filename }) => [name, join(folder, posix.basename(filename))]));
}

/** What a tarball holds: `{ data, contents, manifest, files, read }`, the files relative to the package. */
export function openTarball(path) {
  const data = new Uint8Array(readFileSync(path));
  const contents = createPackageFromTarballData(data);
  const prefix = `/node_modules/${contents.packageName}/`;
  const read = (file) => contents.readFile(prefix + file);
  return {
    data,
    contents,
    manifest: JSON.parse(read("package.json")),
    files: contents.listFiles().map((file) => file.slice(prefix.length)),
    read,
  };
}

/** Why nobody could use a package as it is in its tarball, a line for each reason; nothing if all is well. */
export function faultsOf(tarball) {
  return [...strangers(tarball), ...unresolved(tarball), ...missing(tarball), ...undeclared(tarball)];
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
function missing({ manifest, files, read }) {
  const entries = [...targetsOf(manifest.exports), ...targetsOf(manifest.bin ?? {})];
  const references = entries.map(([key, target]) => [`package.json: ${key}`, posix.normalize(target)]);
  for (const file of files) {
    if (file.endsWith(".map")) {
      const { sources } = JSON.parse(read(file));
      for (const source of sources) references.push([file, beside(file, source)]);
    } else if (isModule(file)) {
      const relative = importsOf(read(file)).filter((specifier) => specifier.startsWith("."));
      // Declarations keep the extension of the sources; compilers look for the declarations then.
      for (const specifier of relative) {
        references.push([file, beside(file, specifier.replace(/(?<!\.d)\.ts$/, ".d.ts"))]);
      }
    }
  }
  return references
    .filter(([, target]) => !files.includes(target))
    .map(([origin, target]) => `${origin} refers to ${target}, which is not there`);
}

/** Compiled JavaScript or its declarations. */
function isModule(file) {
  return /^(dist|bin)\/.*\.(mjs|js|ts)$/.test(file);
}

function beside(file, relative) {
  return posix.join(posix.dirname(file), relative);
}

/** Packages that something imports, and that an install does not bring. */
function undeclared({ manifest, files, read }) {
  const declared = [manifest.name, ...runtimeDependencies(manifest)];
  return files
    .filter(isModule)
    .flatMap((file) => importsOf(read(file)).map((specifier) => [file, specifier]))
    .filter(([, specifier]) => packageOf(specifier) && !declared.includes(packageOf(specifier)))
    .map(([file, specifier]) => `${file} imports ${specifier}, which package.json does not declare`);
}
