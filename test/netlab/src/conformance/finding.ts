import { basename } from "node:path";

export type Verdict = "pass" | "fails" | "not run" | `deviates: ${string}`;

/** Result of one test. */
export interface Finding {
  /** Number of its requirement. */
  readonly id: number;
  /** Tested behaviour of the host. */
  readonly name: string;
  /** Test file, without folder and ending. */
  readonly file: string;
  readonly verdict: Verdict;
  readonly measured: string;
  /** Groups of Apple's outline and cases of other suites. */
  readonly follows: readonly string[];
}

/** Sources of a test, besides its requirement. */
export interface Provenance {
  /** Groups of Apple's outline that it follows. */
  readonly apple?: readonly string[];
  /** Cases of other public suites that it mirrors, as `suite case`. */
  readonly mirrors?: readonly string[];
  /** Reason for a deviation; the test then shows our behaviour. */
  readonly deviates?: string;
}

/** Data of a test for the runner and its reports. */
export interface ConformanceMeta extends Provenance {
  readonly id: number;
  readonly name: string;
  readonly measured?: string;
}

export function fileName(path: string): string {
  return basename(path, ".test.ts");
}

/** Finding of a test with `meta`, by its state in the runner or in the runner's report. */
export function findingOf(meta: ConformanceMeta, path: string, state: string | undefined): Finding {
  const { id, name, deviates, measured = "", apple = [], mirrors = [] } = meta;
  const follows = [...apple.map((group) => `Apple ${group}`), ...mirrors];
  return { id, name, file: fileName(path), verdict: verdictOf(state, deviates), measured, follows };
}

function verdictOf(state: string | undefined, deviates: string | undefined): Verdict {
  if (state === "fail" || state === "failed") return "fails";
  if (state !== "pass" && state !== "passed") return "not run";
  return deviates === undefined ? "pass" : `deviates: ${deviates}`;
}
