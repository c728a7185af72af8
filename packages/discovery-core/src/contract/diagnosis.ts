import type { Clock } from "../time/clock.ts";
import type { Log } from "./log.ts";

/** `ok` holds, `warn` may matter, `fail` keeps nodes from being found, `skip` was not looked at. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

/** What every transport may find; each declares further codes of its own. `docs/doctor.md` has a heading for each. */
export type SharedCheckCode = keyof typeof sharedChecks;

/** One of the shared codes, or `type/word` as a declaration has it: `mesh/seed-unreachable`. */
export type CheckCode = SharedCheckCode | `${string}/${string}`;

/** By its word, what a finding means for discovery, and a sentence that says what was found. */
export type CheckCodes = Readonly<Record<string, readonly [verdict: Verdict, meaning: string]>>;

export const sharedChecks = {
  INTERFACE_USED: ["ok", "The transport uses this network interface."],
  INTERFACE_LEFT_OUT: ["skip", "The transport leaves this interface out."],
  NO_USABLE_INTERFACE: ["fail", "There is no interface that the transport could use."],
  NOTHING_TO_CHECK: ["skip", "The transport does not examine itself."],
  DIAGNOSIS_FAILED: ["fail", "The examination itself failed or took too long."],
} as const;

/** One thing that was looked at. */
export interface Check {
  readonly code: CheckCode;
  readonly verdict: Verdict;
  /** Name of the transport, or null for what concerns them all. */
  readonly transport: string | null;
  /** Name of the network interface, or null for what concerns them all. */
  readonly interface: string | null;
  /** What was found, as a sentence for people. */
  readonly message: string;
  /** What to do about it, or null when there is nothing to do. */
  readonly mend: string | null;
}

export interface Finding {
  readonly message: string;
  /** @default null */
  readonly interface?: string | null;
  /** @default null */
  readonly mend?: string | null;
}

/** Makes checks, each with the verdict of its code: a shared one, or the word of one that the owner declares. */
export type Checker<Word extends string> = (code: Word | SharedCheckCode, finding: Finding) => Check;

/**
 * Makes checks of one owner.
 *
 * @param type - Plug-in's, which begins its codes.
 * @param declared - Its own codes.
 * @param transport - Name of the transport, or null for what concerns them all.
 */
export function checker<Codes extends CheckCodes>(
  type: string,
  declared: Codes,
  transport: string | null,
): Checker<keyof Codes & string> {
  return (word, { message, interface: on = null, mend = null }) => {
    const own = declared[word];
    const code: CheckCode = own ? `${type}/${word}` : (word as SharedCheckCode);
    const [verdict] = own ?? sharedChecks[word as SharedCheckCode];
    return { code, verdict, transport, interface: on, message, mend };
  };
}

/** What a transport gets to examine itself with. */
export interface DiagnosisContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Addresses of hosts that were lately seen on this machine's links, with their zones; may be empty.
   *
   * They may be asked something harmless, to find out what does not reach them.
   */
  readonly neighbors: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Command that looks for more of them, for what a check has to say; null where there is none. @default null */
  readonly moreNeighbors?: string | null;
}
