import { rmSync } from "node:fs";

// The compiler leaves the output of sources that are gone, and so it would be packed, and kept in the cache of builds.
rmSync("dist", { recursive: true, force: true });
