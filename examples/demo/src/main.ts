import { runDemo } from "./demo.ts";
import { liveTable, plainTable } from "./live-table.ts";
import { type Options, readOptions } from "./options.ts";

/** npm passes on the Ctrl-C that the terminal gave its child already: two signals this close are one. */
const sameKeyMs = 300;

/** Interval of checking for the parent, in ms, since no event reports its end by a kill. */
const parentCheckMs = 500;

const exitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    return fail(error, exitCode.usage);
  }
  // A reader who has seen enough, such as `head`.
  process.stdout.on("error", () => process.exit(exitCode.done));
  const live = !options.once && process.stdout.isTTY && process.env.TERM !== "dumb";
  const show = live ? liveTable(process.stdout) : plainTable(process.stdout);
  const signal = untilSignal();
  try {
    await runDemo({ address: options.address, once: !live, show, signal });
  } catch (error) {
    return fail(error, exitCode.failed);
  }
  return signal.aborted && !live ? exitCode.interrupted : exitCode.done;
}

function fail(error: unknown, code: number): number {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
  return code;
}

/** Aborts at the first signal, or when the parent is gone; a second signal ends the process at once. */
function untilSignal(): AbortSignal {
  const ending = new AbortController();
  let firstMs = 0;
  const end = (): void => {
    if (!ending.signal.aborted) {
      firstMs = performance.now();
      ending.abort();
    } else if (performance.now() - firstMs > sameKeyMs) {
      process.exit(exitCode.interrupted);
    }
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && ending.abort(), parentCheckMs).unref();
  return ending.signal;
}
