import { join } from "node:path";
import { type Discovery, DiscoveryError, matches, type NodeInfo } from "@lmserv/discovery-core";
import { linkedAbort } from "@lmserv/discovery-core/transport";
import {
  type DiscoverDocument,
  formatVersion,
  nodeDocument,
  toJsonLine,
  warningDocument,
} from "@lmserv/discovery-gateway/document";
import { type Configuration, configure, firstPassMs } from "../config/configuration.ts";
import { exitCode, judge } from "../exit-code.ts";
import { interruptedCode } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import { formatDuration } from "../options/duration.ts";
import { defaultTtlMs, type SearchRequest } from "../options/request.ts";
import { failuresOf, failuresOfAll } from "../output/failure.ts";
import { createProgress } from "../output/progress.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing, startSpinner } from "../output/spinner.ts";
import { formatTable, formatUrls } from "../output/table.ts";
import { hasColor, lineWidth } from "../output/terminal.ts";
import { advise } from "./advice.ts";
import { readListed } from "./listed.ts";
import { close, openDiscovery } from "./opening.ts";
import { explainOutcome, type Findings } from "./outcome.ts";

/** Default, unless the transports take longer for their first pass; a search ends earlier when nothing new is expected. */
const defaultTimeoutMs = 3_000;

/**
 * Sockets open within milliseconds; a transport that takes longer never will, unless there is more time to
 * search.
 */
const leastOpeningMs = 10_000;

/** Search with its duration. */
interface Search extends SearchRequest {
  readonly timeoutMs: number;
  /** True if the search may end earlier, when nothing new is expected. */
  readonly untilSettled: boolean;
  readonly configuration: Configuration;
}

/** Searches for nodes for a while and prints them; resolves with the exit code. */
export async function discover(request: SearchRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const startedMs = io.clock.now();
  const progress = createProgress();
  const configuration = await configure(request, io, reporter, {
    interactive: true,
    identity: null,
    onProgress: progress.follow,
  });
  const listing = isPlain(request, configuration, io) ? readListed(request, io) : Promise.resolve(null);
  const listed = await showing(io, reporter, "asking lmserv on this machine", listing);
  if (listed) {
    reporter.note("listed by lmserv on this machine, which looks all the time; --timeout 3s looks anew");
    printFound(request, listed.nodes, () => listed.document, io);
    return exitCode.found;
  }
  const timeoutMs = request.timeoutMs ?? Math.max(defaultTimeoutMs, await firstPassMs(configuration));
  const untilSettled = request.timeoutMs === null && request.atLeast === null;
  const search: Search = { ...request, configuration, timeoutMs, untilSettled };
  const stopSpinner = startSpinner(io, reporter, progress.text);
  const findings = await find(search, io, reporter, signal).finally(stopSpinner);
  printFound(request, findings.nodes, () => documentOf(findings, startedMs, io), io);
  if (signal.aborted) return interruptedCode(signal);
  const count = findings.nodes.length;
  const code = judge({ count, wanted: request.atLeast ?? 1, failures: findings.failures });
  explainOutcome(code, findings, search, reporter);
  return code;
}

/** True if the command line has no option of the search. */
function isPlain(
  { flags, interfaces, timeoutMs, ttlMs }: SearchRequest,
  { file }: Configuration,
  { env, cwd }: Io,
): boolean {
  const { config, preset, transports, options = [] } = flags;
  const isChosen = [config, preset, transports].some((flag) => flag !== undefined) || options.length > 0;
  const isTimed = timeoutMs !== null || ttlMs !== defaultTtlMs;
  const isConfigured = file === join(cwd, "lmserv.config.jsonc") || Object.keys(env).some(isSetting);
  return !isChosen && !isTimed && !isConfigured && interfaces.length === 0;
}

/** True for a variable that says where to search. */
function isSetting(name: string): boolean {
  return /^LMSERV_(?:CONFIG|PRESET|TRANSPORTS)(?:__|$)/.test(name);
}

function printFound(
  { json, print, check, verbose }: SearchRequest,
  nodes: readonly NodeInfo[],
  document: () => DiscoverDocument,
  { stdout, env, clock }: Io,
): void {
  if (json) stdout.write(toJsonLine(document()));
  else if (print !== null) stdout.write(formatUrls(nodes, print));
  else if (nodes.length > 0)
    stdout.write(
      formatTable(nodes, {
        ...{ color: hasColor(stdout, env), states: check, verbose },
        ...{ width: lineWidth(stdout), wallMs: clock.wall() },
      }),
    );
}

async function find(search: Search, io: Io, reporter: Reporter, signal: AbortSignal): Promise<Findings> {
  let discovery: Discovery;
  try {
    discovery = await open(search, io, reporter, signal);
  } catch (error) {
    const failures = signal.aborted ? [] : failuresOf(error);
    return { nodes: [], complete: false, warnings: failures, failures };
  }
  const nodes = await look(discovery, search, signal);
  const isEarly = signal.aborted || (search.atLeast !== null && nodes.length >= search.atLeast);
  const isSound = discovery.transports.every(({ settled, error }) => settled && error === null);
  const warnings = discovery.warnings.map((warning) => advise(warning, search.configuration, search, io));
  const failures = failuresOfAll(discovery);
  await close(discovery, reporter);
  return { nodes, complete: isSound && !isEarly, warnings, failures };
}

/** A one-shot run does not wait for a network, nor for a transport that hangs. */
async function open(
  { configuration, ttlMs, timeoutMs, check }: Search,
  io: Io,
  { log }: Reporter,
  signal: AbortSignal,
): Promise<Discovery> {
  const opening = linkedAbort(signal);
  const openingMs = Math.max(leastOpeningMs, timeoutMs);
  const cancel = io.clock.schedule(openingMs, () => {
    const message = `no transport opened within ${formatDuration(openingMs)}`;
    opening.abort(new DiscoveryError("TRANSPORT_UNAVAILABLE", message));
  });
  const health = check ? { health: await io.health({ certificates: "any" }) } : {};
  const options = { ttlMs, log, waitForNetwork: false, signal: opening.signal, ...health };
  return openDiscovery(configuration, io, options).finally(() => {
    cancel();
    opening.abort();
  });
}

/** Listed nodes when the time is up, or when a signal ends the search. */
async function look(
  discovery: Discovery,
  { timeoutMs, untilSettled, atLeast, filter }: Search,
  signal: AbortSignal,
): Promise<readonly NodeInfo[]> {
  try {
    const enough = { untilSettled, ...(atLeast !== null && { atLeast }) };
    return await discovery.discover({ ...filter, ...enough, timeoutMs, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return discovery.registry.listAlive().filter((node) => matches(node, filter));
  }
}

function documentOf(
  { nodes, complete, warnings }: Findings,
  startedMs: number,
  { clock }: Io,
): DiscoverDocument {
  return {
    formatVersion,
    complete,
    durationMs: Math.round(clock.now() - startedMs),
    nodes: nodes.map(nodeDocument),
    warnings: warnings.map(warningDocument),
  };
}
