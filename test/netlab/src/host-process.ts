import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable, type Writable } from "node:stream";
import type { Holder } from "./holder.ts";
import { type LinePredicate, type LineSearch, lineLog } from "./line-log.ts";
import { processorTime } from "./processor-time.ts";
import { programPath } from "./program.ts";

const startTimeoutMs = 60_000;

/** Prints the command's outer pid on descriptor 3, then becomes the command. */
const shim = `read -r pid rest </run/proc/self/stat
echo "$pid" >&3
cd -- "$1" || exit 126
shift
exec "$@" 3>&-`;

/** Program and its arguments. */
export type Command = readonly [string, ...string[]];

export interface SpawnOptions {
  /** Added to the caller's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** @default the caller's */
  readonly cwd?: string;
}

/** End of a process: one of the two is null. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Process on a host of the LAN. Disposal kills it. */
export interface HostProcess extends AsyncDisposable {
  /** Pid of the command outside the LAN. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Time that it has waited for a processor so far, in ms. */
  readonly queuedMs: number;
  /** Complete lines of standard output so far. */
  readonly lines: readonly string[];
  readonly stdoutText: string;
  readonly stderrText: string;
  /** Resolves with the first line of standard output that fits, past or future. */
  readonly line: (predicate: LinePredicate, search?: LineSearch) => Promise<string>;
  /** The same for standard error. */
  readonly stderrLine: (predicate: LinePredicate, search?: LineSearch) => Promise<string>;
  /** Resolves, never rejects, when the process has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  /** Signals the process, unless it has ended. @default "SIGTERM" */
  readonly kill: (signal?: NodeJS.Signals) => void;
}

/** Runs `command` in the namespaces called `place`; resolves right before its execution. */
export async function startProcess(
  holder: Holder,
  place: string,
  command: Command,
  options: SpawnOptions = {},
): Promise<HostProcess> {
  const child = enter(holder, place, command, options);
  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const load = new Load(child.pid ?? null);
  const out = lineLog(child.stdout, () => load.queuedMs);
  const err = lineLog(child.stderr, () => load.queuedMs);
  // Writing to an ended process fails; `exited` reports the end.
  child.stdin.on("error", () => {});

  const pid = await announcedPid(child, load).catch((error: Error) => {
    child.kill("SIGKILL");
    throw new Error(`Cannot run ${command[0]} on ${place}: ${err.text() || error.message}`, { cause: error });
  });
  load.pid = pid;

  const explained = (wait: Promise<string>): Promise<string> =>
    wait.catch((error: Error) => {
      const story = [error.message, `${command.join(" ")} on ${place}${load}`, out.text(), err.text()];
      throw new Error(story.filter((part) => part !== "").join("\n"), { cause: error });
    });

  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    get queuedMs() {
      return load.queuedMs;
    },
    lines: out.lines,
    get stdoutText() {
      return out.text();
    },
    get stderrText() {
      return err.text();
    },
    line: (predicate, search) => explained(out.find(predicate, search)),
    stderrLine: (predicate, search) => explained(err.find(predicate, search)),
    exited,
    kill: (signal = "SIGTERM") => kill(child, pid, signal),
    async [Symbol.asyncDispose]() {
      kill(child, pid, "SIGKILL");
      // Children of the command may hold the pipes open; they end with the LAN.
      for (const pipe of child.stdio.slice(1)) pipe?.destroy();
      await exited;
    },
  };
}

function enter(
  holder: Holder,
  place: string,
  command: Command,
  { env, cwd = process.cwd() }: SpawnOptions,
): ChildProcessWithoutNullStreams {
  const [program, ...args] = [...entrance(holder, place), "sh", "-c", shim, "sh", cwd, ...command] as const;
  return spawn(program, args, {
    env: { ...process.env, PATH: programPath, ...env },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    ...holder.user,
  }) as ChildProcessWithoutNullStreams; // True, since the first three are pipes.
}

/** Processor time of a process; the latest figure after its end. */
class Load {
  pid: number | null;
  #usedMs = 0;
  #queuedMs = 0;

  constructor(pid: number | null) {
    this.pid = pid;
  }

  get queuedMs(): number {
    this.#look();
    return this.#queuedMs;
  }

  toString(): string {
    this.#look();
    return `, which ran for ${Math.round(this.#usedMs)} ms and waited ${Math.round(this.#queuedMs)} ms for a processor`;
  }

  #look(): void {
    const time = this.pid === null ? null : processorTime(this.pid);
    if (time) [this.#usedMs, this.#queuedMs] = [time.usedMs, time.queuedMs];
  }
}

/** Pid written by the shim. Anything else is refused: 0 would be every process of the tests themselves. */
async function announcedPid(child: ChildProcessWithoutNullStreams, load: Load): Promise<number> {
  const pipe = child.stdio[3];
  if (!(pipe instanceof Readable)) throw new TypeError("The fourth descriptor is not a pipe");
  const failed = once(child, "error").then(([error]) => {
    throw error;
  });
  const log = lineLog(pipe, () => load.queuedMs);
  const line = await Promise.race([log.find(() => true, { timeoutMs: startTimeoutMs }), failed]);
  const pid = Number(line);
  if (!Number.isInteger(pid) || pid < 2) throw new Error(`"${line}" is no pid`);
  return pid;
}

function kill(parent: ChildProcess, pid: number, signal: NodeJS.Signals): void {
  if (parent.exitCode !== null || parent.signalCode !== null) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // The command ended a moment ago, before Node noticed.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/**
 * Command that enters the namespaces, in which only a child gets a pid.
 *
 * nsenter opens the namespace files before it enters, so that the path leads through the holder's root. The
 * parent of the command must end as the command does: `timeout` (0: never) passes on exit codes and signals.
 * nsenter does so too, but stops itself when the command is stopped, and may then miss its end.
 */
function entrance(holder: Holder, place: string): Command {
  const run = `/proc/${holder.pid}/root/run`;
  return [
    "nsenter",
    `--target=${holder.pid}`,
    "--user",
    "--preserve-credentials",
    "--mount",
    "--pid",
    `--net=${run}/netns/${place}`,
    `--uts=${run}/uts/${place}`,
    "--no-fork",
    "--",
    "timeout",
    "--foreground",
    "0",
  ];
}
