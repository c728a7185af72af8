import { constants } from "node:os";
import { isatty } from "node:tty";
import { exitCode } from "./exit-code.ts";
import { systemIo } from "./io/io.ts";
import { run } from "./run.ts";

const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
const code = await run(process.argv.slice(2), systemIo());
// If its terminal has gone, Node fails an assertion at its exit and dumps core (`node::ResetStdio`).
if (hasTerminal && code === exitCode.signalled + constants.signals.SIGHUP)
  process.kill(process.pid, "SIGHUP");
else process.exit(code);
