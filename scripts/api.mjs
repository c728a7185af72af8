import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setupOrExit } from "./setup.mjs";

// Writes down in docs/api what the packages export; `npm test` holds them to it.

await setupOrExit();
const { readSurfaces, surfaceFolder } = await import("./surface.mjs");
rmSync(surfaceFolder, { recursive: true, force: true });
mkdirSync(surfaceFolder, { recursive: true });
for (const [file, text] of readSurfaces()) writeFileSync(join(surfaceFolder, file), text);
