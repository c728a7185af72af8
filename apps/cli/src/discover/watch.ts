import { once } from "node:events";
import type { Discovery, DiscoveryError } from "@lmserv/discovery-core";
import { linkedAbort } from "@lmserv/discovery-core/transport";
import { type Configuration, configure } from "../config/configuration.ts";
import { judge } from "../exit-code.ts";
import { interruptedCode } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { SearchRequest } from "../options/request.ts";
import { describeFailure, failuresOf, failuresOfAll } from "../output/failure.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { canRepaint } from "../output/terminal.ts";
import { advise } from "./advice.ts";
import { FilteredChanges } from "./filtered-changes.ts";
import { jsonView, textView } from "./line-views.ts";
import { LiveView } from "./live-view.ts";
import { close, openDiscovery } from "./opening.ts";
import type { WatchView } from "./watch-view.ts";

/** Prints every change until a signal, the end of the time, or enough nodes; resolves with the exit code. */
export async function watch(request: SearchRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const configuration = await configure(request, io, reporter, {
    interactive: true,
    identity: null,
  });
  const view = watchView(request, io, reporter);
  const ending = linkedAbort(signal);
  const { timeoutMs } = request;
  const cancel = timeoutMs === null ? () => {} : io.clock.schedule(timeoutMs, () => ending.abort());
  view.begin();
  const { peak, failures } = await follow(request, configuration, io, view, reporter, ending.signal).finally(
    () => {
      cancel();
      ending.abort();
      view.end();
    },
  );
  if (signal.aborted) return interruptedCode(signal);
  for (const failure of failures) reporter.error(describeFailure(failure));
  return judge({ count: peak, wanted: request.atLeast ?? 1, failures });
}

/**
 * JSON for programs, a live table on a terminal, and lines of text elsewhere, or if `-v` prints between them.
 */
function watchView(request: SearchRequest, io: Io, reporter: Reporter): WatchView {
  if (request.json) return jsonView(io);
  const isLive = canRepaint(io.stdout, io.env) && !request.verbose;
  return isLive ? new LiveView(request, io, reporter) : textView(io, request, reporter);
}

interface Outcome {
  /** Greatest count of nodes listed at once. */
  readonly peak: number;
  /** Failures of all transports; empty if one of them worked, or a node was found. */
  readonly failures: readonly DiscoveryError[];
}

async function follow(
  request: SearchRequest,
  configuration: Configuration,
  io: Io,
  view: WatchView,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Outcome> {
  let discovery: Discovery;
  try {
    const { ttlMs, check } = request;
    const options = {
      ttlMs,
      ...(check && { health: await io.health({ certificates: "any" }) }),
      log: reporter.log,
      onWarning: (warning: DiscoveryError) => view.warn(advise(warning, configuration, request, io)),
      onTransport: view.transport,
      signal,
    };
    discovery = await openDiscovery(configuration, io, options);
  } catch (error) {
    const failures = signal.aborted ? [] : failuresOf(error);
    for (const failure of failures) view.warn(failure);
    return { peak: 0, failures };
  }
  const enough = request.atLeast ?? Number.POSITIVE_INFINITY;
  const changes = new FilteredChanges(request.filter);
  const peak = await printChanges(discovery, changes, enough, view, io, signal).finally(() =>
    close(discovery, reporter),
  );
  return { peak, failures: peak === 0 ? failuresOfAll(discovery) : [] };
}

const steps = { up: 1, updated: 0, down: -1 } as const;

/** Prints until the watch ends or `enough` nodes are listed; resolves with the greatest count. */
async function printChanges(
  discovery: Discovery,
  changes: FilteredChanges,
  enough: number,
  view: WatchView,
  { stdout }: Io,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  let peak = 0;
  try {
    for await (const told of discovery.watch({ signal })) {
      const change = changes.take(told);
      if (!change) continue;
      count += steps[change.kind];
      peak = Math.max(peak, count);
      // A slow reader delays the watch, which keeps the sum of missed changes.
      if (!view.change(change)) await once(stdout, "drain", { signal });
      if (peak >= enough) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return peak;
}
