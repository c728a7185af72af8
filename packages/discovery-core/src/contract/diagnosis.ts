import type { Clock } from "../time/clock.ts";
import type { Log } from "./log.ts";

/** `ok` holds, `warn` may matter, `fail` keeps nodes from being found, `skip` was not examined. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

/**
 * Codes that every transport may use; each declares further ones. `docs/doctor.md` has a heading for each.
 */
export type SharedCheckCode = keyof typeof sharedChecks;

/** Shared code, or a declared one as `type/word`: `mesh/seed-unreachable`. */
export type CheckCode = SharedCheckCode | `${string}/${string}`;

/** By word: the verdict for discovery, a sentence that describes the finding, and what it proves. */
export type CheckCodes = Readonly<
  Record<string, readonly [verdict: Verdict, meaning: string, proof?: "others-reached"]>
>;

export const sharedChecks = {
  INTERFACE_USED: ["ok", "The transport uses this network interface."],
  INTERFACE_LEFT_OUT: ["skip", "The transport leaves this interface out."],
  NO_USABLE_INTERFACE: ["fail", "There is no interface that the transport could use."],
  NOTHING_TO_CHECK: ["skip", "The transport does not examine itself."],
  DIAGNOSIS_FAILED: ["fail", "The examination itself failed or took too long."],
} as const;

/** Result of one examination. */
export interface Check {
  readonly code: CheckCode;
  readonly verdict: Verdict;
  /** Name of the transport, or null for all of them. */
  readonly transport: string | null;
  /** Name of the network interface, or null for all of them. */
  readonly interface: string | null;
  /** Finding, as a sentence for people. */
  readonly message: string;
  /** Remedy, or null if there is nothing to do. */
  readonly fix: string | null;
}

export interface Finding {
  readonly message: string;
  /** @default null */
  readonly interface?: string | null;
  /** @default null */
  readonly fix?: string | null;
}

/** Makes checks with the verdicts of their codes: shared codes, or words that the owner declares. */
export type Checker<Word extends string> = (code: Word | SharedCheckCode, finding: Finding) => Check;

/**
 * Makes checks of one owner.
 *
 * @param type - Type of the plug-in, which begins its codes.
 * @param declared - Its own codes.
 * @param transport - Name of the transport, or null for all of them.
 */
export function checker<Codes extends CheckCodes>(
  type: string,
  declared: Codes,
  transport: string | null,
): Checker<keyof Codes & string> {
  return (word, { message, interface: on = null, fix = null }) => {
    const own = declared[word];
    const code: CheckCode = own ? `${type}/${word}` : (word as SharedCheckCode);
    const [verdict] = own ?? sharedChecks[word as SharedCheckCode];
    return { code, verdict, transport, interface: on, message, fix };
  };
}

/** Services for the examination of a transport. */
export interface DiagnosisContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Addresses of hosts recently seen on this machine's links, with their zones; may be empty.
   *
   * They may be sent harmless questions, to find out what does not reach them.
   */
  readonly neighbors: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Command that looks for more of them, for a check's remedy; null if there is none. @default null */
  readonly moreNeighbors?: string | null;
}
