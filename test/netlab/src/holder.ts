import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { within } from "./deadline.ts";
import { lineLog } from "./line-log.ts";
import { programPath } from "./program.ts";

const startTimeoutMs = 60_000;
const endTimeoutMs = 60_000;

/** Owner of the LAN, if it is not the caller. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Process that keeps the namespaces of a LAN alive. */
export interface Holder extends AsyncDisposable {
  /** First process inside, by its pid outside. */
  readonly pid: number;
  readonly user: User | undefined;
}

/**
 * Command that makes the namespaces and runs, as the first process in them, a script from standard input.
 *
 * Works for root and for an ordinary user. It ends when killed, or when its standard input ends with its
 * starter. Then the kernel kills every process inside and removes the namespaces.
 */
export const holderCommand: readonly [string, ...string[]] = [
  "unshare",
  "--user",
  "--map-root-user",
  "--net",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "sh",
  "-s",
];

/** Runs `script` in new namespaces; resolves when it has printed its pid. */
export async function startHolder(script: string, user?: User): Promise<Holder> {
  const [program, ...args] = holderCommand;
  const child = spawn(program, args, { env: { ...process.env, PATH: programPath }, ...user });
  // A failed script leaves the rest of its text unread; its exit reports it.
  child.stdin.on("error", () => {});
  const stdout = lineLog(child.stdout);
  const stderr = lineLog(child.stderr);
  const failed = once(child, "close").then(
    () => new Error(stderr.text().trim() || "the holder of the LAN ended"),
    (error: unknown) => new Error("unshare did not start", { cause: error }),
  );
  child.stdin.write(script);
  try {
    const pid = await stdout
      .find(() => true, { timeoutMs: startTimeoutMs })
      .catch(async (error: unknown) => {
        child.kill("SIGKILL");
        throw new Error(`Cannot make a LAN: ${(await failed).message}`, { cause: error });
      });
    return { pid: Number(pid), user, [Symbol.asyncDispose]: () => end(child) };
  } catch (error) {
    child.stdin.destroy();
    throw error;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.stdin?.end();
  await within(
    endTimeoutMs,
    () => "The LAN did not end",
    (signal) => once(child, "exit", { signal }),
  ).catch((error: unknown) => {
    child.kill("SIGKILL");
    throw error;
  });
}
