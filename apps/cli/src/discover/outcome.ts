import type { DiscoveryError, NodeInfo } from "@lmserv/discovery-core";
import { exitCode } from "../exit-code.ts";
import { formatDuration } from "../options/duration.ts";
import type { SearchRequest } from "../options/request.ts";
import { describeFailure } from "../output/failure.ts";
import type { Reporter } from "../output/reporter.ts";

// Every text here has a row in `docs/messages.md`.

export interface Findings {
  readonly nodes: readonly NodeInfo[];
  readonly complete: boolean;
  readonly warnings: readonly DiscoveryError[];
  /** Failures of all transports; empty if one of them worked. */
  readonly failures: readonly DiscoveryError[];
}

const likeliest =
  "the likeliest cause is that none is announced yet: on the machine that serves, run: lmserv up";
const examine = "lmserv doctor examines what is in the way";

/** Explains on stderr why less was found than requested, the likeliest cause first. */
export function explainOutcome(
  code: number,
  { nodes, warnings, failures }: Findings,
  request: Pick<SearchRequest, "json" | "verbose" | "atLeast" | "filter"> & { readonly timeoutMs: number },
  { error, warn, note }: Reporter,
): void {
  if (code === exitCode.failed) {
    for (const failure of failures) error(describeFailure(failure));
    return note(examine);
  }
  if (code === exitCode.none) note(shortfall(nodes.length, request));
  // The document and the log hold the warnings already.
  if (request.json || request.verbose) return;
  const told = worthTelling(warnings, nodes);
  for (const warning of told) warn(describeFailure(warning));
  if (code === exitCode.none && nodes.length === 0) note(examine);
}

function shortfall(
  count: number,
  { atLeast, timeoutMs, filter }: Pick<SearchRequest, "atLeast" | "filter"> & { readonly timeoutMs: number },
): string {
  const time = formatDuration(timeoutMs);
  if (atLeast !== null && count > 0) return `found ${count} of ${atLeast} LLM servers within ${time}`;
  if (Object.keys(filter).length > 0) return `no LLM server that fits found within ${time}`;
  return `no LLM server found within ${time}; ${likeliest}`;
}

/** Warnings without those of silence, if a node was found or another transport stands in and reports so. */
function worthTelling(
  warnings: readonly DiscoveryError[],
  nodes: readonly NodeInfo[],
): readonly DiscoveryError[] {
  const isExplained = nodes.length > 0 || warnings.some(({ code }) => code === "STANDBY_RUNS");
  return warnings.filter(({ code }) => code !== "NO_ANSWER" || !isExplained);
}
