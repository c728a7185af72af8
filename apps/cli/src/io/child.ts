import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { exitCode } from "../exit-code.ts";
import { ControllingTerminal } from "./controlling-terminal.ts";
import type { SignalName } from "./interruption.ts";

/** A program and its arguments. */
export type CommandLine = readonly [program: string, ...args: string[]];

/** A process that this one started. */
export interface Child {
  readonly pid: number;
  /** Exit code; after a signal 128 and its number, as in shells. */
  readonly ended: Promise<number>;
  /**
   * Passes a signal on, once, unless a terminal gave it to the child already.
   *
   * @throws {Error} when the system does not allow it, such as to a child of another user.
   */
  readonly pass: (name: SignalName) => void;
}

export class StartError extends Error {
  override readonly name = "StartError";
  /** 127 for a missing program, 126 for one that cannot be executed, as in shells. */
  readonly exitCode: number;

  constructor(program: string, { code, message }: NodeJS.ErrnoException) {
    super(`cannot start ${JSON.stringify(program)}: ${reasons.get(code ?? "") ?? message}`);
    this.exitCode = code === "ENOENT" ? exitCode.notThere : exitCode.notExecutable;
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such program; check its name, its path and PATH"],
  ["EACCES", "it is no program that this user may execute; check its mode: chmod +x"],
  ["E2BIG", "its arguments and its environment are too long"],
]);

/**
 * Starts a program that shares this process's input, output, terminal and process group.
 *
 * @throws {StartError} when it cannot be started.
 */
export async function startChild([program, ...args]: CommandLine): Promise<Child> {
  const terminal = new ControllingTerminal();
  const child = await spawned(program, args);
  const { pid = 0 } = child;
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(signal === null ? (code ?? exitCode.broken) : exitCode.signalled + constants.signals[signal]),
    );
  });
  return {
    pid,
    ended,
    pass: (name) => {
      if (terminal.hasSignalledGroup(name) || child.exitCode !== null || child.signalCode !== null) return;
      process.kill(pid, name);
    },
  };
}

async function spawned(program: string, args: readonly string[]) {
  // Node treats an empty name as a defect of the caller.
  if (program === "") throw new StartError(program, Object.assign(new Error(), { code: "ENOENT" }));
  try {
    const child = spawn(program, args, { stdio: "inherit" });
    await once(child, "spawn");
    return child;
  } catch (error) {
    throw error instanceof Error ? new StartError(program, error) : error;
  }
}
