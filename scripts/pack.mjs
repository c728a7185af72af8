import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./command.mjs";
import { buildVariant } from "./variants.mjs";
import { readPackages } from "./workspace.mjs";

// Puts what is released into artifacts/: a tarball of each package, and the command as one file. `npm run pack` sets up
// and has turbo run this.

const folder = join(root, "artifacts");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const filters = readPackages().map(({ name }) => `--filter=${name}`);
const { code, output } = await run(["pnpm", ...filters, "pack", "--pack-destination", folder]);
if (code !== 0) {
  console.error(output);
  process.exit(1);
}
await buildVariant("full", folder);
for (const file of readdirSync(folder)) console.log(`artifacts/${file}`);
