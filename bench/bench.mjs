import { readdirSync } from "node:fs";
import { setupOrExit } from "../scripts/setup.mjs";

// Measures what its first argument names, a folder of src; the others are options of that.

const parts = readdirSync(new URL("./src/", import.meta.url)).filter((folder) => folder !== "harness");
const [part] = process.argv.splice(2, 1);
if (parts.includes(part)) {
  await setupOrExit();
  // In this process, so that a Ctrl-C ends the LANs and nothing is in between.
  await import(`./dist/${part}/main.js`);
} else {
  process.stderr.write(`${part ?? "nothing"} is no benchmark; there are: ${parts.join(", ")}\n`);
  process.exitCode = 2;
}
