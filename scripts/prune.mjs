import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

const groups = ["packages", "apps", "examples", "bench", "test"];
const outputs = [".js", ".js.map", ".d.ts", ".d.ts.map"];

/**
 * Removes compiled output of sources that are gone: the compiler leaves it, a restored build lies over it, and it would
 * be packed.
 */
export function pruneOutput() {
  for (const group of groups) {
    for (const name of readdirSync(join(root, group))) prune(join(root, group, name));
  }
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
