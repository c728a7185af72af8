import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

/** Every project of the workspace, without the root: `{ name, folder, manifest }`, the folder relative to the root. */
export function readProjects() {
  return readFolders().map((folder) => {
    const manifest = readManifest(folder);
    return { name: manifest.name, folder, manifest };
  });
}

/** The projects that are published; the others say `private`. */
export function readPackages() {
  return readProjects().filter(({ manifest }) => !manifest.private);
}

/** The manifest of the project in a folder; the root's without one. */
export function readManifest(folder = ".") {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function readFolders() {
  const text = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const [, list] = text.match(/^packages:\n((?: {2}- .+\n)+)/m);
  return list
    .trim()
    .split("\n")
    .flatMap((line) => matchingFolders(line.trim().slice("- ".length)))
    .sort();
}

/** The folders with a manifest that `folder` or `folder/*` stands for. */
function matchingFolders(pattern) {
  const [, parent, any] = pattern.match(/^([^*]+?)(\/\*)?$/) ?? [];
  if (!parent) throw new Error(`pnpm-workspace.yaml: ${pattern} is neither folder nor folder/*`);
  const folders = any ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [parent];
  return folders.filter((folder) => statSync(join(root, folder, "package.json"), { throwIfNoEntry: false }));
}

/** Every file that git tracks or would: also those that are gone since. */
export function listFiles(folder = root) {
  const options = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", options, { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 26 });
  return [...new Set(files.split("\0").filter(Boolean))];
}

/** The files of a repository that were written or removed after a time in ms; none where there is no repository. */
export function changedSince(timeMs, folder = root) {
  if (!existsSync(join(folder, ".git"))) return [];
  return listFiles(folder).filter((file) => {
    const stat = statSync(join(folder, file), { throwIfNoEntry: false });
    return stat === undefined || Math.max(stat.mtimeMs, stat.ctimeMs) > timeMs;
  });
}
