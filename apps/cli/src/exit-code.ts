import type { DiscoveryError } from "@lmserv/discovery-core";

/** Exit codes of the command. Scripts rely on these numbers: never change one. */
export const exitCode = {
  /** Found (at least N with `--wait N`); announced and said goodbye. */
  found: 0,
  /** Found nothing, or fewer than requested, in time. */
  none: 1,
  /** Verdict of the doctor: without or with a failure. */
  sound: 0,
  unsound: 1,
  /** A mistake in the command line. */
  usage: 2,
  /** Every chosen transport failed. */
  failed: 3,
  /** The command itself failed: a defect, or an output that cannot be written. */
  broken: 70,
  /** `lmserv run`: the program cannot be executed, or is not there. */
  notExecutable: 126,
  notThere: 127,
  /** A signal: this and its number, such as 130 for SIGINT. */
  signalled: 128,
} as const;

export interface Finding {
  /** Count of nodes listed at once. */
  readonly count: number;
  /** Requested count. */
  readonly wanted: number;
  /** Failures of all chosen transports; empty if one of them worked. */
  readonly failures: readonly DiscoveryError[];
}

/** Exit code of a search that was not interrupted. */
export function judge({ count, wanted, failures }: Finding): number {
  if (count >= wanted) return exitCode.found;
  return count === 0 && failures.length > 0 ? exitCode.failed : exitCode.none;
}
