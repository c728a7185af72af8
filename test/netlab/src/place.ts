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
  /** Without what it waits for a processor. @default 120_000 */
  readonly timeoutMs?: number;
  /** Standard input. @default "" */
  readonly input?: string;
}

/** A finished command. */
export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Somewhere on the LAN where commands run: a host, or the switch. */
export interface Place {
  readonly name: string;
  /** The interface that sees the LAN. */
  readonly interface: string;
  /** Starts a command; the caller disposes of it, or the LAN does. */
  readonly spawn: (command: Command, options?: SpawnOptions) => Promise<HostProcess>;
  /** Runs a command to its end, whatever its exit code; rejects, and kills it, when time is up. */
  readonly run: (command: Command, options?: RunOptions) => Promise<Finished>;
}

/** @param live - Where started processes are kept until they end. */
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

/** Runs a command that has to succeed, and returns what it printed. */
export async function runOrThrow(place: Place, command: Command, options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await place.run(command, options);
  if (code !== 0) throw new Error(`${command.join(" ")} on ${place.name} failed: ${stderr.trim()}`);
  return stdout;
}
