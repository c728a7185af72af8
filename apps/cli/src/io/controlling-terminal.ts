import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import type { SignalName } from "./interruption.ts";

/** Relation of a process to its controlling terminal. */
interface Ties {
  readonly hasTerminal: boolean;
  /** True if its process group gets the signals of the terminal's keys. */
  readonly isForeground: boolean;
  /** True if it began the session, so that a closed terminal signals it alone. */
  readonly isLeader: boolean;
}

/** Tells which signals a terminal gave to all processes of this one's group, children included. */
export class ControllingTerminal {
  readonly #hadTerminal = tiesOfProcess().hasTerminal;

  hasSignalledGroup(name: SignalName): boolean {
    const { hasTerminal, isForeground, isLeader } = tiesOfProcess();
    if (name === "SIGINT" || name === "SIGQUIT") return isForeground;
    return name === "SIGHUP" && this.#hadTerminal && !hasTerminal && !isLeader;
  }
}

/** Present relation; if the system does not tell, an open terminal counts as controlling. */
function tiesOfProcess(): Ties {
  const [pid, group, session, terminal, foreground] = statOfProcess();
  if (foreground === undefined) {
    const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
    return { hasTerminal, isForeground: hasTerminal, isLeader: true };
  }
  return { hasTerminal: terminal !== 0, isForeground: foreground === group, isLeader: session === pid };
}

/**
 * Numbers of this process, its group, its session, its terminal and that terminal's foreground group
 * (proc_pid_stat(5)).
 */
function statOfProcess(): readonly number[] {
  try {
    const text = readFileSync("/proc/self/stat", "latin1");
    const [, , , ...numbers] = text.slice(text.lastIndexOf(")")).split(" ", 7).map(Number);
    return [process.pid, ...numbers];
  } catch {
    return [];
  }
}
