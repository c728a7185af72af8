import { spawn } from "node:child_process";
import type { Clock } from "@lmserv/discovery-core/transport";

/** End of a user's command: null for success, or the cause of the failure, for people. */
export type HookEnd = string | null;

/** Runs a command line of the system's shell; its output goes to stderr. */
export type RunHook = (command: string, limitMs: number) => Promise<HookEnd>;

/** @param limitMs - Time after which it is killed, with all its children. */
export function runHook(command: string, limitMs: number, clock: Clock): Promise<HookEnd> {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, detached: true, stdio: ["ignore", 2, 2] });
    let isLate = false;
    const cancel = clock.schedule(limitMs, () => {
      isLate = true;
      killGroup(child.pid);
    });
    const end = (why: HookEnd): void => {
      cancel();
      resolve(why);
    };
    child.once("error", (error) => end(error.message));
    child.once("exit", (code, signal) => {
      if (isLate) end(`it had not ended after ${limitMs / 1_000} s, and was killed`);
      else if (signal !== null) end(`it was ended by ${signal}`);
      else end(code === 0 ? null : `it ended with ${code}`);
    });
  });
}

/** Children of a shell are in its group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
