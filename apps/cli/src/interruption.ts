import { exitCode } from "./exit-code.ts";

export type SignalName = "SIGINT" | "SIGTERM";

/** Why a command ends before it is done: a signal, or its output, which nobody reads any more. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly by: SignalName | "output";

  constructor(by: SignalName | "output") {
    super(`ended by ${by}`);
    this.by = by;
  }
}

const codes = {
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
  output: exitCode.found,
} as const;

/** The exit code of a command that an interruption ended. */
export function interruptedCode({ reason }: { readonly reason: unknown }): number {
  return reason instanceof Interruption ? codes[reason.by] : exitCode.broken;
}
