import { endIfAbandoned } from "./command.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit();
endIfAbandoned();
// In this process, so that a Ctrl-C reaches the demo and nothing in between.
await import("../examples/demo/dist/main.js");
