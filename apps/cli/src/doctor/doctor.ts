import { type ResolvedTransport, transportFlags } from "@lmserv/discovery-config";
import {
  type Check,
  checker,
  type DiagnosisContext,
  explain,
  linkedAbort,
  type Transport,
  type TransportPlugin,
} from "@lmserv/discovery-core/transport";
import { type DoctorDocument, formatVersion, toJsonLine } from "@lmserv/discovery-gateway/document";
import { configure } from "../config/configuration.ts";
import { interfaceFlags, thoroughness } from "../discover/advice.ts";
import { exitCode } from "../exit-code.ts";
import { interruptedCode } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { DoctorRequest, Request } from "../options/request.ts";
import { checkDocument } from "../output/document.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { hasColor } from "../output/terminal.ts";
import { environmentChecks, readEnvironment } from "./environment.ts";
import { formatFindings, worstOf } from "./findings.ts";

/**
 * Time limit in ms: sockets and files answer within seconds; all but the search for neighbors that takes
 * longer hangs.
 */
const longestMs = 60_000;

/** Examines what keeps nodes from being found here and prints the remedies; resolves with the exit code. */
export async function doctor(request: DoctorRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const startedMs = io.clock.now();
  const checks = await showing(
    io,
    reporter,
    "examining this machine",
    examine(request, io, reporter, signal),
  );
  if (signal.aborted) return interruptedCode(signal);
  const durationMs = Math.round(io.clock.now() - startedMs);
  io.stdout.write(
    request.json
      ? toJsonLine(documentOf(checks, durationMs))
      : formatFindings(checks, hasColor(io.stdout, io.env)),
  );
  return worstOf(checks) === "fail" ? exitCode.unsound : exitCode.sound;
}

/**
 * Examines this machine on behalf of a running command, without output on stderr unless that logs everything.
 *
 * Rejects with the signal's reason.
 */
export async function examinationOf(request: Request, io: Io, signal: AbortSignal): Promise<DoctorDocument> {
  const startedMs = io.clock.now();
  const reporter = createReporter(io.stderr, { quiet: true, verbose: request.verbose });
  const checks = await examine(request, io, reporter, signal);
  signal.throwIfAborted();
  return documentOf(checks, Math.round(io.clock.now() - startedMs));
}

function documentOf(checks: readonly Check[], durationMs: number): DoctorDocument {
  return { formatVersion, verdict: worstOf(checks), durationMs, checks: checks.map(checkDocument) };
}

/** Concurrent, since the transports are independent. */
async function examine(
  request: Request,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { transports, file } = await configure(withoutStrays(request, io), io, reporter);
  if (file !== null) reporter.note(`examining the configuration of ${file}`);
  const { clock, random } = io;
  const { log } = reporter;
  const namers = await configureNamers(request, io);
  const context: DiagnosisContext = {
    clock,
    random,
    log,
    neighbors: neighborsFor(namers, io),
    moreNeighbors: moreNeighbors(request, io),
  };
  const passesMs = await Promise.all(namers.map(({ firstPassMs }) => firstPassMs()));
  const limitMs = longestMs + Math.max(0, ...passesMs);
  const found = await Promise.all([
    ...transports.map(({ transport }) => diagnose(transport, context, limitMs, signal)),
    readEnvironment(io.readText, io.env, io.readSystem()).then(environmentChecks),
  ]);
  return found.flat();
}

/** Transports of the command that can name hosts near this machine. */
function namersIn({ plugins }: Io): readonly TransportPlugin[] {
  return [...plugins.values()].filter(({ neighbors }) => neighbors !== undefined);
}

/** They are configured even if they are not examined, so that no flag of theirs is stray. */
function withoutStrays(request: Request, io: Io): Request {
  const known = new Set(transportFlags(namersIn(io)).map(({ name }) => name));
  const options = request.flags.options?.map((one) => ({ ...one, ifAny: one.ifAny || known.has(one.flag) }));
  return { ...request, flags: { ...request.flags, ...(options && { options }) } };
}

async function configureNamers(request: Request, io: Io): Promise<readonly ResolvedTransport[]> {
  const transports = namersIn(io).map(({ type }) => type);
  if (transports.length === 0) return [];
  // Flags of the other transports were checked with those, and do not concern these.
  const options = (request.flags.options ?? []).map((one) => ({ ...one, ifAny: true }));
  const flags = { ...request.flags, transports, options };
  // The warnings of the configuration were printed already.
  const silent = createReporter(io.stderr, { quiet: true, verbose: false });
  return (await configure({ ...request, flags }, io, silent, { interactive: true })).transports;
}

/** Finds neighbors at the first question, and once. */
function neighborsFor(namers: readonly ResolvedTransport[], { clock }: Io): DiagnosisContext["neighbors"] {
  let found: Promise<readonly string[]> | undefined;
  return (signal) => {
    found ??= Promise.all(namers.map(({ neighbors }) => neighbors(clock, signal))).then((all) => all.flat());
    return found;
  };
}

/** Command that looks for more neighbors; null if none would, or this is it. */
function moreNeighbors({ flags, interfaces }: Request, io: Io): string | null {
  const [harder] = thoroughness(namersIn(io));
  if (!harder || flags.options?.some(({ key }) => key === harder.option)) return null;
  return `lmserv doctor ${harder.flag}${interfaceFlags(interfaces)}`;
}

/** A transport that cannot examine itself is a finding too. */
async function diagnose(
  transport: Transport,
  context: DiagnosisContext,
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { name } = transport;
  const say = checker(name, {}, name);
  const checks: Check[] = [];
  const ending = linkedAbort(signal);
  const cancel = context.clock.schedule(limitMs, () => ending.abort(new Error("it took too long")));
  try {
    for await (const one of transport.diagnose?.(context, ending) ?? []) checks.push(one);
    if (checks.length > 0) return checks;
    return [say("NOTHING_TO_CHECK", { message: `${name} has nothing to look at` })];
  } catch (error) {
    const message = `${name} could not be examined: ${explain(error)}`;
    const fix = "report it as a defect, with what -v prints";
    return [...checks, say("DIAGNOSIS_FAILED", { message, fix })];
  } finally {
    cancel();
    ending.abort();
  }
}
