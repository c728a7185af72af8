import { run } from "./command.mjs";
import { setupOrExit } from "./setup.mjs";

// Sets up, then runs the command in the arguments, if there is one, where the pinned tools are on the path.

const env = await setupOrExit();
const command = process.argv.slice(2);
if (command.length > 0) process.exitCode = (await run(command, { env, isShown: true })).code ?? 1;
