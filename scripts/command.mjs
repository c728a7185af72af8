import { spawn } from "node:child_process";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the workspace. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const parent = process.ppid;
const isWindows = process.platform === "win32";

/** Ends this process, with a message, if its parent is gone: no program waits for a result any more. */
export function endIfAbandoned() {
  if (process.ppid === parent) return;
  process.stderr.write(`ended without a result: process ${parent}, which started this one, is gone\n`);
  process.exit(1);
}

const endings = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command, in the root folder by default, and resolves, when it ended, with its exit code and what it printed.
 *
 * It has a process group of its own: a signal to this process goes to all of that, since not every command takes its
 * children along, and ends this process when the command has ended. When `signal` aborts, all of that is killed. With
 * `isShown`, it prints where this process does, and nothing is kept.
 */
export function run(command, { env = process.env, cwd = root, signal, isShown = false } = {}) {
  endIfAbandoned();
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const stdio = isShown ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"];
    const child = start(command, { cwd, env, stdio });
    let interruptedBy = null;
    const interrupt = (ending) => {
      interruptedBy = ending;
      endAll(child, ending);
    };
    const abort = () => endAll(child, "SIGKILL");
    for (const ending of endings) process.on(ending, interrupt);
    signal?.addEventListener("abort", abort);
    let stdout = "";
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      stdout += text;
      output += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
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

/** On Windows npm, and all that it installs, are batch files, which a shell alone can start and a quote keeps whole. */
function start([command, ...args], options) {
  if (!isWindows) return spawn(command, args, { ...options, detached: true });
  if (isAbsolute(command)) return spawn(command, args, options);
  const line = [command, ...args].map((word) => `"${word.replaceAll('"', '""')}"`).join(" ");
  return spawn(line, { ...options, shell: true });
}

/** Sends a signal to a command and all that it started; Windows, which has no groups, can only kill. */
function endAll({ pid }, ending) {
  if (isWindows) {
    spawn("taskkill", ["/pid", `${pid}`, "/t", "/f"], { stdio: "ignore" });
    return;
  }
  try {
    process.kill(-pid, ending);
  } catch {
    // It has just ended.
  }
}

/** `0.4 s` */
export function seconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}
