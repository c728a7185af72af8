import { run } from "./command.mjs";
import { setup } from "./setup.mjs";

// Publishes the packages whose version the registry does not have yet, each with an attestation of the commit and
// the run of CI that it was made by, and tags the commit. Nothing is published where none can be made.

try {
  const env = await setup();
  await step(["pnpm", "--recursive", "publish", "--access", "public", "--provenance"], env);
  await step(["changeset", "tag"], env);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function step(command, env) {
  const { code, output } = await run(command, env);
  process.stdout.write(output);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
}
