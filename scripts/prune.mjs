import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";
import { readProjects } from "./workspace.mjs";

const outputs = [".js", ".js.map", ".d.ts", ".d.ts.map"];

/** Removes compiled output of sources that are gone: the compiler leaves it, and a restored build lies over it. */
export function pruneOutput() {
  for (const { folder } of readProjects()) prune(join(root, folder));
}

function prune(folder) {
  const dist = join(folder, "dist");
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!file.endsWith(".d.ts.map")) continue;
    const module = file.slice(0, -".d.ts.map".length);
    if (existsSync(join(folder, "src", `${module}.ts`))) continue;
    for (const output of outputs) rmSync(join(dist, `${module}${output}`), { force: true });
  }
}
