import { hostname } from "node:os";
import type { Announcement, Discovery, DiscoveryError } from "@lmserv/discovery-core";
import { defaultPorts, documentPort } from "@lmserv/discovery-identify";
import type { Identity } from "@lmserv/discovery-identity";
import type { SystemInterface } from "@lmserv/discovery-network";
import { Announcements, rivalText } from "./announcements.ts";
import { type Configuration, configure, interfacesOf, namesOf } from "./configuration.ts";
import type { DocumentServer } from "./document-server.ts";
import { exitCode } from "./exit-code.ts";
import { describeFailure, failuresOf } from "./failure.ts";
import { chosenAddresses, everywhere, ownAddresses, staysOnMachine } from "./interfaces.ts";
import { interruptedCode, isEndedBy } from "./interruption.ts";
import type { Io } from "./io.ts";
import type { LocalServerChange } from "./local-servers/local-server.ts";
import { assumeServer, watchLocalServers } from "./local-servers/local-servers.ts";
import { takenPort } from "./mesh-port.ts";
import { NodeIds } from "./node-ids.ts";
import { close, openDiscovery } from "./opening.ts";
import { createReporter, type Reporter, withFile } from "./reporter.ts";
import type { AnnounceRequest } from "./request.ts";
import { UsageError } from "./usage-error.ts";

/** Makes servers of this machine known for as long as they answer, until a signal; resolves with the exit code. */
export async function announce(request: AnnounceRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const { configuration, identity } = await configureAnnouncing(request, io, reporter);
  const claim = await claimNamed(request, configuration, io);
  try {
    const interfaces = interfacesOf(configuration, request);
    await keepAnnounced({ ...request, interfaces, configuration, identity }, io, reporter, signal);
  } catch (error) {
    if (!signal.aborted) return failureCode(error, configuration, reporter);
  } finally {
    await claim?.[Symbol.asyncDispose]();
  }
  // Goodbye at SIGTERM is the regular end of a service.
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** A request with what is configured. */
interface Announcing extends AnnounceRequest {
  readonly configuration: Configuration;
  readonly identity: () => Promise<Identity>;
}

/** @throws {UsageError} for a mistake in the configuration, and where nothing can announce. */
async function configureAnnouncing(request: AnnounceRequest, io: Io, reporter: Reporter) {
  let opened: Promise<Identity> | null = null;
  const identity = (): Promise<Identity> => {
    // One key for all servers that one process speaks for.
    const endpoint = request.port === null ? "machine" : String(request.port);
    opened ??= io.openIdentity(endpoint, reporter.warn);
    return opened;
  };
  const configuration = await configure(request, io, reporter, { mesh: { role: "member", identity } });
  if (configuration.transports.some(({ announces }) => announces)) return { configuration, identity };
  const text = `--transport ${namesOf(configuration).join(",")} cannot announce; use mdns`;
  throw new UsageError(withFile(text, configuration.file));
}

/** Announces servers while they answer and says goodbye when they do not; rejects when `signal` aborts. */
async function keepAnnounced(
  request: Announcing,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const ids = await NodeIds.open(await request.identity());
  const discovery = await open(request, io, reporter, signal);
  const announcements = new Announcements({
    discovery,
    ids,
    overrides: request.overrides,
    isNamed: request.port !== null,
    hostname: hostname(),
    platform: process.platform,
    where: () => whereOf(request, io),
    links: () => linksOf(request, io),
    ...(request.port === null && { claimPort: io.claimPort }),
    reporter,
    signal,
  });
  const documents = await documentServer(announcements, request, io, reporter);
  try {
    reporter.note(waitingText(request));
    for await (const change of serverChanges(request, io, signal)) {
      await announcements.apply(change);
      if (announcements.standing.length > 0) await documents?.start();
      else await documents?.stop();
    }
  } finally {
    await documents?.stop();
    await announcements.end();
    await close(discovery, reporter);
  }
}

/**
 * Claims the port that was named; null where none was.
 *
 * @throws {UsageError} when another process announces it: each would hide the other.
 */
async function claimNamed(
  { port }: AnnounceRequest,
  configuration: Configuration,
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

function waitingText({ port, check }: Announcing): string {
  if (!check) return `announcing port ${port}, whether or not a server answers`;
  return port === null
    ? "announcing the LLM servers that answer on this machine; stop with Ctrl-C"
    : `announcing port ${port} while a server answers there; stop with Ctrl-C`;
}

/** @throws {DiscoveryError} when a port that is configured is somebody else's: nobody is announced by halves then. */
async function open(
  { configuration, verbose }: Announcing,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Discovery> {
  const onWarning = (warning: DiscoveryError): void => {
    // The log holds it already.
    if (!verbose && !takenPort([warning], configuration)) reporter.warn(describeFailure(warning));
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
  announcements: Announcements,
  { documentPort, interfaces }: Announcing,
  { clock, listen, networkInterfaces }: Io,
  reporter: Reporter,
): Promise<DocumentServer | null> {
  if (documentPort === null) return null;
  const { DocumentServer } = await import("./document-server.ts");
  const addresses = (): readonly (string | null)[] =>
    interfaces.length === 0 ? [null] : chosenAddresses(interfaces, networkInterfaces());
  const announced = (): Announcement | undefined => announcements.standing[0];
  return new DocumentServer({ port: documentPort, addresses, announced, clock, listen, reporter });
}

function serverChanges(
  { check, port, ports }: Announcing,
  { clock, random, check: checkPort, look, networkInterfaces, readListeners }: Io,
  signal: AbortSignal,
): AsyncIterable<LocalServerChange> {
  if (!check && port !== null) return assumeServer(port, clock, signal);
  return watchLocalServers({
    ports: port === null ? [...new Set([...serverPorts, ...ports])] : [port],
    isNamed: port !== null,
    clock,
    random,
    readListeners,
    look,
    async answering(port, ending) {
      const own = ownAddresses(networkInterfaces());
      const checks = await Promise.all(
        own.map((address) => checkPort({ address, port, ask: false, signal: ending })),
      );
      return own.filter((_, index) => checks[index] === "no-answer" || checks[index] === "closed");
    },
    signal,
  });
}

/** Ports on which LLM servers listen unless told otherwise; the port of documents is our own. */
const serverPorts = defaultPorts.filter((port) => port !== documentPort);

/** Links with other hosts that announcements reach; none where they stay on this machine. */
function linksOf(
  { interfaces }: Announcing,
  { networkInterfaces, readSystem }: Io,
): readonly SystemInterface[] {
  if (staysOnMachine(interfaces, networkInterfaces())) return [];
  const links = readSystem().interfaces.filter(({ kind }) => kind === "lan" || kind === "tunnel");
  if (interfaces.length === 0) return links;
  return links.filter(({ name, addresses }) => {
    return interfaces.includes(name) || addresses.some(({ address }) => interfaces.includes(address));
  });
}

/** `over mdns on every interface` */
function whereOf({ configuration, interfaces }: Announcing, { readSystem }: Io): string {
  const where = interfaces.length === 0 ? everywhere(readSystem()) : interfaces.join(", ");
  return `over ${namesOf(configuration).join(", ")} on ${where}`;
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
