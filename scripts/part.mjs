import { run, seconds } from "./command.mjs";
import { changedSince } from "./workspace.mjs";

// Runs a part of `npm test`, the command in the arguments: it ends red when it hangs, and with `unsettled` when what it
// passed is no result of the tree that it began with.

/** Several times what a part takes on a busy machine. Time limits of tests do not hold for one that blocks its thread. */
const deadlineMs = 20 * 60_000;

/** Exit code of a part that passed while files were edited. Only a result with 0 is kept to be replayed. */
const unsettled = 75;

const startMs = Date.now();
const deadline = AbortSignal.timeout(deadlineMs);
const { code } = await run(process.argv.slice(2), { signal: deadline, isShown: true });
if (deadline.aborted) console.log(`it did not end within ${seconds(deadlineMs)}: a test blocks its thread`);
process.exitCode = code === 0 && changedSince(startMs).length > 0 ? unsettled : (code ?? 1);
