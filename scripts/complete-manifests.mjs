import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";
import { completeManifest, formatManifest } from "./manifest.mjs";
import { readPackages } from "./workspace.mjs";

// Writes into the manifest of every package what all published packages say alike.

for (const { folder, manifest } of readPackages()) {
  writeFileSync(join(root, folder, "package.json"), formatManifest(completeManifest(manifest, folder)));
}
