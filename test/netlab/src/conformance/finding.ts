import { basename } from "node:path";

export type Verdict = "pass" | "fails" | "not run" | `deviates: ${string}`;

/** What one test found out. */
export interface Finding {
  /** The number of its requirement. */
  readonly id: number;
  /** What the host under test does. */
  readonly name: string;
  /** Where the test is: a file's name without folder and ending. */
  readonly file: string;
  readonly verdict: Verdict;
  readonly measured: string;
  /** Groups of Apple's outline and cases of other suites. */
  readonly follows: readonly string[];
}

/** What a test is about, beside its requirement. */
export interface Provenance {
  /** The groups of Apple's outline that it follows. */
  readonly apple?: readonly string[];
  /** Cases of other public suites that it mirrors, as `suite case`. */
  readonly mirrors?: readonly string[];
  /** Why we do otherwise; the test then shows what we do instead. */
  readonly deviates?: string;
}

/** What a test carries through the runner and its reports. */
export interface ConformanceMeta extends Provenance {
  readonly id: number;
  readonly name: string;
  readonly measured?: string;
}

/** How a test file is called on the page. */
export function fileName(path: string): string {
  return basename(path, ".test.ts");
}

/** What a test that carries `meta` found out, by the state that the runner, or its report, gives it. */
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
