import { constants } from "node:os";
import { exitCode } from "../exit-code.ts";

/**
 * Signals that end a process unless it catches them, and that a terminal, a service manager or a limit sends.
 *
 * Windows has SIGHUP for a closed console and SIGBREAK for Ctrl-Break. Node keeps SIGUSR1 and SIGPROF for
 * itself.
 */
export const endingSignals = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGABRT",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGBREAK",
  "SIGXCPU",
  "SIGVTALRM",
  "SIGIO",
  "SIGPWR",
] as const;

export type SignalName = (typeof endingSignals)[number] | "SIGUSR1";

/** Signals that are passed on to a child; this process itself would start Node's debugger at SIGUSR1. */
export const passedSignals: readonly SignalName[] = [...endingSignals, "SIGUSR1"];

/** `output`: the reader of the output has gone. `fault`: a defect threw an uncaught error. */
export type Cause = SignalName | "output" | "fault";

/** Reason for which a command ends early. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly by: Cause;

  constructor(by: Cause) {
    super(`ended by ${by}`);
    this.by = by;
  }
}

export function isEndedBy(cause: Cause, { reason }: { readonly reason: unknown }): boolean {
  return reason instanceof Interruption && reason.by === cause;
}

/** Exit code of an interrupted command: after a signal 128 and its number, as in shells. */
export function interruptedCode({ reason }: { readonly reason: unknown }): number {
  if (!(reason instanceof Interruption) || reason.by === "fault") return exitCode.broken;
  return reason.by === "output" ? exitCode.found : exitCode.signalled + constants.signals[reason.by];
}
