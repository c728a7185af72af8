import {
  type Announced,
  completeAnnouncement,
  type Discovery,
  type DiscoveryError,
} from "@lmserv/discovery-core";
import type { Identity } from "@lmserv/discovery-identity";
import { type Configuration, configure, interfacesOf, namesOf } from "./configuration.ts";
import type { DocumentServer } from "./document-server.ts";
import { exitCode } from "./exit-code.ts";
import { describeFailure, failuresOf } from "./failure.ts";
import { chosenAddresses, everywhere, ownAddresses } from "./interfaces.ts";
import { interruptedCode, isEndedBy } from "./interruption.ts";
import type { Io } from "./io.ts";
import { type AnnouncedAt, KeptAnnouncement } from "./kept-announcement.ts";
import { signs } from "./mesh-part.ts";
import { takenPort } from "./mesh-port.ts";
import { close, openDiscovery } from "./opening.ts";
import { appearances } from "./port-appearance.ts";
import { Reachability } from "./reachability.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import type { AnnounceRequest } from "./request.ts";
import { assumeServer, type ServerState, watchServer } from "./server-watch.ts";
import { UsageError } from "./usage-error.ts";

/** Makes a server known for as long as it answers, until a signal; resolves with the exit code. */
export async function announce(request: AnnounceRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const { configuration, identity } = await configureAnnouncing(request, io, reporter);
  const { port } = request.announcement;
  const claim = await io.claimPort(port);
  if (claim.kind === "taken") {
    reporter.error(describeRival(port, claim.pid, configuration));
    return exitCode.usage;
  }
  try {
    const known = isSigned(configuration) ? { id: (await identity()).key.id } : {};
    // Completed once, so that every announcement of this run has the same identity.
    const announced = completeAnnouncement({ ...request.announcement, ...known }, io.random);
    const announcedAt: AnnouncedAt = (at) => (at === "unknown" ? announced : { ...announced, addresses: at });
    const interfaces = interfacesOf(configuration, request);
    await keepAnnounced(announcedAt, { ...request, interfaces, configuration }, io, reporter, signal);
  } catch (error) {
    if (!signal.aborted) return failureCode(error, configuration, reporter);
  } finally {
    await claim[Symbol.asyncDispose]();
  }
  // Goodbye at SIGTERM is the regular end of a service.
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** Two announcements of one server have two identities, of which lists keep one. */
function describeRival(port: number, pid: number | null, configuration: Configuration): string {
  const rival = pid === null ? "another process, which does not answer," : `process ${pid}`;
  const transports = namesOf(configuration).join(",");
  return `${rival} announces port ${port} of this machine already, and each would hide the other; end it first, or name all transports in one command (this one: --transport ${transports})`;
}

/** A request with what is configured. */
interface Announcing extends AnnounceRequest {
  readonly configuration: Configuration;
}

/** @throws {UsageError} for a mistake in the configuration, and where nothing can announce. */
async function configureAnnouncing(request: AnnounceRequest, io: Io, reporter: Reporter) {
  let opened: Promise<Identity> | null = null;
  const identity = (): Promise<Identity> => {
    opened ??= openOwnIdentity(request, io, reporter);
    return opened;
  };
  const configuration = await configure(request, io, { mesh: { role: "member", identity } });
  for (const warning of configuration.warnings) reporter.warn(warning);
  if (configuration.transports.some(({ announces }) => announces)) return { configuration, identity };
  throw new UsageError(`--transport ${namesOf(configuration).join(",")} cannot announce; use mdns`);
}

function isSigned({ transports }: Configuration): boolean {
  return transports.some(({ type }) => signs(type));
}

/** Announces whenever the server answers and says goodbye whenever it does not; rejects when `signal` aborts. */
async function keepAnnounced(
  announcedAt: AnnouncedAt,
  request: Announcing,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const discovery = await open(request, io, reporter, signal);
  const documents = await documentServer(announcedAt("unknown"), request, io, reporter);
  const { announcement, interfaces } = request;
  const where = (): string => describe(request, io);
  const kept = new KeptAnnouncement({ discovery, documents, announcedAt, where, reporter });
  const { port } = announcement;
  const reachability = new Reachability({ port, interfaces, system: io.system, reporter });
  try {
    for await (const state of serverStates(request, io, signal)) {
      if (state.kind === "silent") {
        await kept.withdraw(appearances[state.why]);
      } else {
        reachability.update(state.at);
        await kept.announce(state.at, signal);
      }
    }
  } finally {
    await kept[Symbol.asyncDispose]();
    await close(discovery, reporter);
  }
}

/** @throws {DiscoveryError} when a port that is configured is somebody else's: nobody is announced by halves then. */
async function open(
  { configuration, verbose }: Announcing,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Discovery> {
  const onWarning = (warning: DiscoveryError): void => {
    // The log holds it already, or the one that watches the server.
    const isSaid = verbose || warning.code === "SERVER_UNREACHABLE";
    if (!isSaid && !takenPort([warning], configuration)) reporter.warn(describeFailure(warning));
  };
  const options = { log: reporter.log, signal, onWarning };
  const discovery = await openDiscovery(configuration, io, options);
  const taken = takenPort(discovery.warnings, configuration);
  if (!taken) return discovery;
  await close(discovery, reporter);
  throw taken.cause;
}

/** Null unless it was asked for. */
async function documentServer(
  announced: Announced,
  { documentPort, interfaces }: AnnounceRequest,
  { clock, listen, networkInterfaces }: Io,
  reporter: Reporter,
): Promise<DocumentServer | null> {
  if (documentPort === null) return null;
  const { DocumentServer } = await import("./document-server.ts");
  const addresses = (): readonly (string | null)[] =>
    interfaces.length === 0 ? [null] : chosenAddresses(interfaces, networkInterfaces());
  return new DocumentServer({ port: documentPort, addresses, announced, clock, listen, reporter });
}

/** Members of a mesh or a fleet sign what they say, so that a node is the same at its next start. */
async function openOwnIdentity(
  { announcement }: AnnounceRequest,
  { clock }: Io,
  { warn }: Reporter,
): Promise<Identity> {
  const { openIdentity } = await import("@lmserv/discovery-identity");
  return openIdentity({
    endpoint: String(announcement.port),
    wall: () => clock.wall(),
    onWarning: (message) => warn(message),
  });
}

function serverStates(
  { check, announcement }: AnnounceRequest,
  { clock, check: checkPort, system }: Io,
  signal: AbortSignal,
): AsyncIterable<ServerState> {
  if (!check) return assumeServer(clock, signal);
  const addresses = (): readonly string[] => ownAddresses(system());
  return watchServer({ port: announcement.port, clock, check: checkPort, addresses, signal });
}

/** `"gpu-box-01" on port 8000, over mdns on every interface` */
function describe({ announcement, configuration, interfaces }: Announcing, { system }: Io): string {
  const name = JSON.stringify(announcement.name ?? announcement.info ?? "");
  const where = interfaces.length === 0 ? everywhere(system()) : interfaces.join(", ");
  return `${name} on port ${announcement.port}, over ${namesOf(configuration).join(", ")} on ${where}`;
}

/** What a transport cannot announce at all (`RangeError`), and a port that is somebody else's, is a mistake in the command line. */
function failureCode(error: unknown, configuration: Configuration, { error: print }: Reporter): number {
  const mistake = error instanceof RangeError ? error : takenPort(failuresOf(error), configuration);
  if (mistake) {
    print(mistake.message);
    return exitCode.usage;
  }
  for (const failure of failuresOf(error)) print(describeFailure(failure));
  return exitCode.failed;
}
