import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder of the workspace. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const parent = process.ppid;

/** Ends this process, and says so, if the one that started it is gone: nobody waits for a result any more. */
export function endIfAbandoned() {
  if (process.ppid === parent) return;
  process.stderr.write(`ended without a result: process ${parent}, which started this one, is gone\n`);
  process.exit(1);
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command, in the root folder by default, and resolves, when it ended, with its exit code and what it printed.
 *
 * It has a process group of its own: a signal to this process goes to all of that, since not every command
 * takes its children along, and ends this process when the command has ended. When `signal` aborts, all of that is killed.
 */
export function run([command, ...args], env = process.env, cwd = root, signal = undefined) {
  endIfAbandoned();
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let interruptedBy = null;
    const end = (ending) => {
      try {
        process.kill(-child.pid, ending);
      } catch {
        // It has just ended.
      }
    };
    const interrupt = (ending) => {
      interruptedBy = ending;
      end(ending);
    };
    const abort = () => end("SIGKILL");
    for (const ending of endings) process.on(ending, interrupt);
    signal?.addEventListener("abort", abort);
    let stdout = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      for (const ending of endings) process.off(ending, interrupt);
      signal?.removeEventListener("abort", abort);
      if (interruptedBy) process.kill(process.pid, interruptedBy);
      else resolve({ code, stdout, output, durationMs: performance.now() - startMs });
    });
  });
}

/** `0.4 s` */
export function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}
