import { rivalText } from "./announcements.ts";
import { Announcing, type AnnouncingRequest, configureAnnouncing, failureCode } from "./announcing.ts";
import { namesOf } from "./configuration.ts";
import { exitCode } from "./exit-code.ts";
import { interruptedCode, isEndedBy } from "./interruption.ts";
import type { Io } from "./io.ts";
import type { LocalServerChange } from "./local-servers/local-server.ts";
import { assumeServer } from "./local-servers/local-servers.ts";
import { machineServers, portsToWatch } from "./local-servers/machine-servers.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import type { AnnounceRequest } from "./request.ts";
import { UsageError } from "./usage-error.ts";

/** Makes servers of this machine known for as long as they answer, until a signal; resolves with the exit code. */
export async function announce(request: AnnounceRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const endpoint = (): string => (request.port === null ? "machine" : `${request.port}`);
  const announcing = await configureAnnouncing(request, io, reporter, endpoint);
  const claim = await claimNamed(announcing, io);
  try {
    await keepAnnounced(announcing, io, reporter, signal);
  } catch (error) {
    if (!signal.aborted) return failureCode(error, announcing.configuration, reporter);
  } finally {
    await claim?.[Symbol.asyncDispose]();
  }
  // Goodbye at SIGTERM is the regular end of a service.
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** Announces servers while they answer and says goodbye when they do not; rejects when `signal` aborts. */
async function keepAnnounced(
  request: AnnouncingRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const isNamed = request.port !== null;
  const announcing = await Announcing.open({
    request,
    isAwaited: (port) => isNamed || request.ports.includes(port),
    claims: !isNamed,
    io,
    reporter,
    signal,
  });
  try {
    reporter.note(waitingText(request));
    for await (const change of serverChanges(request, io, signal)) await announcing.apply(change);
  } finally {
    await announcing.end();
  }
}

/**
 * Claims the port that was named; null where none was.
 *
 * @throws {UsageError} when another process announces it: each would hide the other.
 */
async function claimNamed(
  { port, configuration }: AnnouncingRequest,
  { claimPort }: Io,
): Promise<AsyncDisposable | null> {
  if (port === null) return null;
  const claim = await claimPort(port);
  if (claim.kind === "held") return claim;
  const transports = namesOf(configuration).join(",");
  throw new UsageError(
    `${rivalText(port, claim.pid)}, and each would hide the other; end it first, or name all transports in one command (this one: --transport ${transports})`,
  );
}

function waitingText({ port, check }: AnnounceRequest): string {
  if (!check) return `announcing port ${port}, whether or not a server answers`;
  return port === null
    ? "announcing the LLM servers that answer on this machine; stop with Ctrl-C"
    : `announcing port ${port} while a server answers there; stop with Ctrl-C`;
}

function serverChanges(
  { check, port, ports }: AnnounceRequest,
  io: Io,
  signal: AbortSignal,
): AsyncIterable<LocalServerChange> {
  if (!check && port !== null) return assumeServer(port, io.clock, signal);
  return machineServers({ ports: portsToWatch(port, ports), isNamed: port !== null }, io, signal);
}
