import { rmSync } from "node:fs";

// Removes the output of the package that this runs in: the compiler takes what a bundle replaced for its own.
rmSync("dist", { recursive: true, force: true });
