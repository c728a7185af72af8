import { setupOrExit } from "../../scripts/setup.mjs";

await setupOrExit();
// In this process, so that a Ctrl-C ends the LANs and nothing is in between.
await import("./dist/main.js");
