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
import { configure, firstPassMs, namesOf } from "../config/configuration.ts";
import { interfaceFlags, thoroughness } from "../discover/advice.ts";
import { exitCode } from "../exit-code.ts";
import { interruptedCode } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { DoctorRequest, Request } from "../options/request.ts";
import { checkDocument } from "../output/document.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { hasColor } from "../output/terminal.ts";
import { conclude, isReached } from "./conclusion.ts";
import { environmentChecks, readEnvironment } from "./environment.ts";
import { formatFindings, worstOf } from "./findings.ts";
import { loopbackServers, sightings } from "./sightings.ts";

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
    examineAndLook(request, io, reporter, signal),
  );
  if (signal.aborted) return interruptedCode(signal);
  const durationMs = Math.round(io.clock.now() - startedMs);
  io.stdout.write(
    request.json
      ? toJsonLine(documentOf(checks, durationMs))
      : formatFindings(checks, {
          color: hasColor(io.stdout, io.env),
          verbose: request.verbose,
          conclusion: conclude(checks, io.plugins.values()),
        }),
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

/** Examines what is configured, or all that needs no server of others, then looks for servers as `discover` does. */
async function examineAndLook(
  request: DoctorRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const lenient = withOptional(request, () => true);
  const silent = createReporter(io.stderr, { quiet: true, verbose: false });
  const used = await configure(lenient, io, silent, { interactive: true, identity: null });
  const isConfigured = used.settings.some(
    ({ path, origin }) => path === "transports" && origin.kind !== "default",
  );
  const examined = isConfigured ? request : withTransports(request, request.unchosen);
  const checks = await examine(examined, io, reporter, signal);
  if (signal.aborted) return checks;
  const swept = thoroughness(namersIn(io)).filter(({ option }) => hasOption(request, option));
  const missing = swept
    .map(({ type }) => type)
    .filter((type) => used.transports.every((one) => one.type !== type));
  const names = [...namesOf(used), ...missing];
  const looked =
    missing.length > 0
      ? await configure(withTransports(lenient, names), io, silent, { interactive: true, identity: null })
      : used;
  const timeoutMs = swept.length > 0 ? await firstPassMs(looked) : lookMs;
  const found = await Promise.all([
    sightings(looked, timeoutMs, io, reporter, signal),
    loopbackServers(io, signal),
  ]);
  return [...checks, ...found.flat()];
}

/** Two questions of mDNS, and time for the answers; stores and meshes answer at once. */
const lookMs = 1_500;

function withTransports(request: Request, transports: readonly string[]): Request {
  return { ...request, flags: { ...request.flags, transports } };
}

function hasOption({ flags }: Request, option: string): boolean {
  return flags.options?.some(({ key }) => key === option) ?? false;
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
  const [environment, ...found] = await Promise.all([
    readEnvironment(io.readText, io.env, io.readSystem()),
    ...transports.map(({ transport }) => diagnose(transport, context, limitMs, signal)),
  ]);
  const checks = found.flat();
  return [...checks, ...environmentChecks(environment, isReached(checks, io.plugins.values()))];
}

/** Transports of the command that can name hosts near this machine. */
function namersIn({ plugins }: Io): readonly TransportPlugin[] {
  return [...plugins.values()].filter(({ neighbors }) => neighbors !== undefined);
}

/** They are configured even if they are not examined, so that no flag of theirs is stray. */
function withoutStrays(request: Request, io: Io): Request {
  const known = new Set(transportFlags(namersIn(io)).map(({ name }) => name));
  return withOptional(request, (flag) => known.has(flag));
}

/** The same request, in which some flags are for whichever transport has them, if any. */
function withOptional(request: Request, isOptional: (flag: string) => boolean): Request {
  const options = request.flags.options?.map((one) => ({ ...one, ifAny: one.ifAny || isOptional(one.flag) }));
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
