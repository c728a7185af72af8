import type { DiscoveryError } from "@lmserv/discovery-core";

/** What the command ends with. Scripts rely on these numbers: never change one. */
export const exitCode = {
  /** Found (at least N with `--wait N`); announced and said goodbye. */
  found: 0,
  /** Nothing, or fewer than asked for, in time. */
  none: 1,
  /** The doctor found nothing that fails, or something. */
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
  /** How many nodes were listed at once. */
  readonly count: number;
  /** How many were asked for. */
  readonly wanted: number;
  /** Why every chosen transport failed; empty when one of them worked. */
  readonly failures: readonly DiscoveryError[];
}

/** How a search ends that nobody interrupted. */
export function judge({ count, wanted, failures }: Finding): number {
  if (count >= wanted) return exitCode.found;
  return count === 0 && failures.length > 0 ? exitCode.failed : exitCode.none;
}
