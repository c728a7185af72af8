import { within } from "./deadline.ts";
import type { Holder } from "./holder.ts";
import {
  type Command,
  type Exit,
  type HostProcess,
  type SpawnOptions,
  startProcess,
} from "./host-process.ts";

export interface RunOptions extends SpawnOptions {
  /** Time limit without waits for a processor. @default 120_000 */
  readonly timeoutMs?: number;
  /** Standard input. @default "" */
  readonly input?: string;
}

/** Finished command with its output. */
export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Place on the LAN where commands run: a host, or the switch. */
export interface Place {
  readonly name: string;
  /** Interface that sees the LAN. */
  readonly interface: string;
  /** Starts a command, which the caller or the LAN disposes of. */
  readonly spawn: (command: Command, options?: SpawnOptions) => Promise<HostProcess>;
  /** Runs a command to its end, whatever its exit code; kills it and rejects after the time limit. */
  readonly run: (command: Command, options?: RunOptions) => Promise<Finished>;
}

/** @param live - Set of running processes, each until its end. */
export function openPlace(holder: Holder, name: string, iface: string, live: Set<HostProcess>): Place {
  async function spawn(command: Command, options?: SpawnOptions): Promise<HostProcess> {
    const started = await startProcess(holder, name, command, options);
    live.add(started);
    void started.exited.then(() => live.delete(started));
    return started;
  }

  async function run(
    command: Command,
    { timeoutMs = 120_000, input = "", ...options }: RunOptions = {},
  ): Promise<Finished> {
    await using started = await spawn(command, options);
    started.stdin.end(input);
    const exit = await within(
      timeoutMs,
      () => `${command.join(" ")} on ${name} did not end`,
      () => started.exited,
      () => started.queuedMs,
    );
    return { ...exit, stdout: started.stdoutText, stderr: started.stderrText };
  }

  return { name, interface: iface, spawn, run };
}

/** Runs a command that has to succeed, and returns its output. */
export async function runOrThrow(place: Place, command: Command, options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await place.run(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")} on ${place.name} failed: ${stderr.trim()}`);
  return stdout;
}
