import {
  type Check,
  type Clock,
  checker,
  type DiagnosisContext,
  type Transport,
} from "@lmserv/discovery-core";
import { readSystem } from "@lmserv/discovery-network";
import { configure } from "./configuration.ts";
import { checkDocument, type DoctorDocument, formatVersion, toJsonLine } from "./document.ts";
import { environmentChecks, readEnvironment } from "./environment.ts";
import { exitCode } from "./exit-code.ts";
import { explain } from "./failure.ts";
import { formatFindings, worstOf } from "./findings.ts";
import { interruptedCode } from "./interruption.ts";
import type { Io } from "./io.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import type { DoctorRequest } from "./request.ts";
import { startSpinner } from "./spinner.ts";
import { hasColor } from "./terminal.ts";

/** Sockets and files answer within seconds; whatever takes this long hangs. */
const longestMs = 60_000;
/** What the largest sweep adds, on a machine whose table of neighbours is nearly full. */
const longestSweepMs = 180_000;

/** Looks for what keeps nodes from being found here and says how to mend it; resolves with the exit code. */
export async function doctor(request: DoctorRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const startedMs = io.clock.now();
  const isSilent = request.quiet || request.verbose;
  const stopSpinner = isSilent ? () => {} : startSpinner(io, () => "examining this machine");
  const checks = await examine(request, io, reporter, signal).finally(stopSpinner);
  if (signal.aborted) return interruptedCode(signal);
  const durationMs = Math.round(io.clock.now() - startedMs);
  io.stdout.write(
    request.json
      ? toJsonLine(documentOf(checks, durationMs))
      : formatFindings(checks, hasColor(io.stdout, io.env)),
  );
  return worstOf(checks) === "fail" ? exitCode.unsound : exitCode.sound;
}

function documentOf(checks: readonly Check[], durationMs: number): DoctorDocument {
  return { formatVersion, verdict: worstOf(checks), durationMs, checks: checks.map(checkDocument) };
}

/** Everything at once: the transports have nothing to do with each other. */
async function examine(
  request: DoctorRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { transports, file } = await configure(request, io, reporter);
  if (file !== null) reporter.note(`examining what ${file} configures`);
  const { clock, random } = io;
  const { log } = reporter;
  const context: DiagnosisContext = { clock, random, log, neighbors: neighborsFor(request, io) };
  const limitMs = longestMs + (request.sweep ? longestSweepMs : 0);
  const found = await Promise.all([
    ...transports.map(({ transport }) => diagnose(transport, context, limitMs, signal)),
    readEnvironment(io.readText, io.env, readSystem({ list: io.networkInterfaces })).then(environmentChecks),
  ]);
  return found.flat().map((one) => advise(one, request, io));
}

/** A transport may know which hosts are near. */
type Knowing = Transport & {
  readonly neighbors?: (clock: Clock, signal: AbortSignal) => Promise<readonly string[]>;
};

/** Finds them when somebody first asks, and once. */
function neighborsFor(request: DoctorRequest, io: Io): DiagnosisContext["neighbors"] {
  let found: Promise<readonly string[]> | undefined;
  const find = async (signal: AbortSignal): Promise<readonly string[]> => {
    if (!io.plugins.has("arp")) return [];
    const sweep = { flag: "--sweep", key: "sweep", value: request.sweep };
    // Flags of the other transports were checked with those, and say nothing to this one.
    const options = [...(request.flags.options ?? []), sweep].map((one) => ({ ...one, ifAny: true }));
    const flags = { ...request.flags, transports: ["arp"], options };
    // What is odd about the configuration was said already.
    const silent = createReporter(io.stderr, { quiet: true, verbose: false });
    const { transports } = await configure({ ...request, flags }, io, silent, { isAwaited: true });
    const [arp] = transports.map(({ transport }) => transport as Knowing);
    return (await arp?.neighbors?.(io.clock, signal)) ?? [];
  };
  return (signal) => {
    found ??= find(signal);
    return found;
  };
}

/** A transport that cannot even look is a finding too. */
async function diagnose(
  transport: Transport,
  context: DiagnosisContext,
  limitMs: number,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { name } = transport;
  const say = checker(name, {}, name);
  const checks: Check[] = [];
  const hang = new AbortController();
  const cancel = context.clock.schedule(limitMs, () => hang.abort(new Error("it took too long")));
  try {
    const ended = AbortSignal.any([signal, hang.signal]);
    for await (const one of transport.diagnose?.(context, { signal: ended }) ?? []) checks.push(one);
    if (checks.length > 0) return checks;
    return [say("NOTHING_TO_CHECK", { message: `${name} has nothing to look at` })];
  } catch (error) {
    const message = `${name} could not be examined: ${explain(error)}`;
    const mend = "report it as a defect, with what -v prints";
    return [...checks, say("DIAGNOSIS_FAILED", { message, mend })];
  } finally {
    cancel();
  }
}

/** Silence is told apart from a network that drops multicast by neighbours, which a sweep finds. */
function advise(one: Check, { sweep, interfaces }: DoctorRequest, io: Io): Check {
  if (one.code !== "mdns/multicast-silent" || sweep || !io.plugins.has("arp")) return one;
  const where = interfaces.map((name) => ` --interface ${name}`).join("");
  return {
    ...one,
    mend: `${one.mend}; to look for neighbours that could tell: lmserv doctor --sweep${where}`,
  };
}
