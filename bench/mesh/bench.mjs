import { setup } from "../../scripts/setup.mjs";

try {
  await setup();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
// In this process, so that a Ctrl-C ends the LANs and nothing is in between.
await import("./dist/main.js");
