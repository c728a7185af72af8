import { hostname } from "node:os";
import type { Announcement, Discovery, DiscoveryError } from "@lmserv/discovery-core";
import type { SystemInterface } from "@lmserv/discovery-network";
import type { Identity } from "@lmserv/discovery-signing";
import { type Configuration, configure, interfacesOf, namesOf } from "../config/configuration.ts";
import { close, type OpeningOptions, openDiscovery } from "../discover/opening.ts";
import { exitCode } from "../exit-code.ts";
import type { Io } from "../io/io.ts";
import type { LocalServerChange } from "../local-servers/local-server.ts";
import { chosenAddresses, everywhere, staysOnMachine } from "../options/interfaces.ts";
import type { AnnounceRequest } from "../options/request.ts";
import { UsageError } from "../options/usage-error.ts";
import { describeFailure, failuresOf } from "../output/failure.ts";
import { type Reporter, withFile } from "../output/reporter.ts";
import { Announcements } from "./announcements.ts";
import type { DocumentServer } from "./document-server.ts";
import { NodeIds } from "./node-ids.ts";
import { takenAddress } from "./taken-address.ts";

/** Request with its configuration. */
export interface AnnouncingRequest extends AnnounceRequest {
  readonly configuration: Configuration;
  readonly identity: () => Promise<Identity>;
}

/**
 * Resolves the configuration; opens nothing.
 *
 * @param endpoint - Name of the key for all servers of the process, asked for when the key is needed.
 * @throws {UsageError} for a mistake in the configuration, and for one without an announcing transport.
 */
export async function configureAnnouncing<R extends AnnounceRequest>(
  request: R,
  io: Io,
  reporter: Reporter,
  endpoint: () => string,
): Promise<R & AnnouncingRequest> {
  let opened: Promise<Identity> | null = null;
  const identity = (): Promise<Identity> => {
    opened ??= io.openIdentity(endpoint(), reporter.warn);
    return opened;
  };
  const configuration = await configure(request, io, reporter, { identity });
  const interfaces = interfacesOf(configuration, request);
  if (configuration.transports.some(({ announces }) => announces)) {
    return { ...request, interfaces, configuration, identity };
  }
  const able = [...io.plugins.values()].find(({ announces }) => announces);
  const text = `--transport ${namesOf(configuration).join(",")} cannot announce; use ${able?.type ?? "another"}`;
  throw new UsageError(withFile(text, configuration.file));
}

export interface AnnouncingOptions {
  readonly request: AnnouncingRequest;
  /** Returns true if the user expects a server on the port, and is told why it is not announced. */
  readonly isAwaited: (port: number) => boolean;
  /** True to claim each port before it is announced. */
  readonly claims: boolean;
  /** True if `--share` would help with servers on loopback. @default false */
  readonly couldShare?: boolean;
  /** Open transports with other users. @default it opens its own */
  readonly discovery?: Discovery;
  readonly io: Io;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Open transports, with the announcements and the document of servers of this machine. */
export class Announcing {
  /** Discovery that ends with the announcements; null if others use the transports too. */
  readonly #discovery: Discovery | null;
  readonly #announcements: Announcements;
  readonly #documents: DocumentServer | null;
  readonly #reporter: Reporter;

  private constructor(
    discovery: Discovery | null,
    announcements: Announcements,
    documents: DocumentServer | null,
    reporter: Reporter,
  ) {
    this.#discovery = discovery;
    this.#announcements = announcements;
    this.#documents = documents;
    this.#reporter = reporter;
  }

  /** @throws {DiscoveryError} when a configured port is taken: partial announcements are refused. */
  static async open(options: AnnouncingOptions): Promise<Announcing> {
    const { request, isAwaited, claims, couldShare, io, reporter, signal } = options;
    const ids = await NodeIds.open(await request.identity());
    const discovery = options.discovery ?? (await open(request, io, reporter, signal));
    const announcements = new Announcements({
      discovery,
      ids,
      overrides: request.overrides,
      isAwaited,
      hostname: hostname(),
      platform: process.platform,
      couldShare: couldShare ?? false,
      where: () => whereOf(request, io),
      links: () => linksOf(request, io),
      ...(claims && { claimPort: io.claimPort }),
      reporter,
      signal,
    });
    const documents = await documentServer(announcements, request, io, reporter);
    const owned = options.discovery ? null : discovery;
    return new Announcing(owned, announcements, documents, reporter);
  }

  /** Brings announcements and document in line with a change; rejects when nothing can be announced at all. */
  async apply(change: LocalServerChange): Promise<void> {
    await this.#announcements.apply(change);
    if (this.#announcements.current.length > 0) await this.#documents?.start();
    else await this.#documents?.stop();
  }

  /** Says goodbye for all servers, and closes transports that it opened. */
  async end(): Promise<void> {
    await this.#documents?.stop();
    await this.#announcements.end();
    if (this.#discovery) await close(this.#discovery, this.#reporter);
  }
}

function open(
  { configuration, verbose }: AnnouncingRequest,
  io: Io,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Discovery> {
  const onWarning = (warning: DiscoveryError): void => {
    // The log holds it already.
    if (!verbose && !takenAddress([warning], configuration)) reporter.warn(describeFailure(warning));
  };
  return openAnnouncing(configuration, io, reporter, { log: reporter.log, signal, onWarning });
}

/**
 * Opens the transports of an announcer.
 *
 * @throws {DiscoveryError} when a configured port is taken: partial announcements are refused.
 */
export async function openAnnouncing(
  configuration: Configuration,
  io: Io,
  reporter: Reporter,
  options: OpeningOptions,
): Promise<Discovery> {
  const discovery = await openDiscovery(configuration, io, options);
  const taken = takenAddress(discovery.warnings, configuration);
  if (!taken) return discovery;
  await close(discovery, reporter);
  throw taken.cause;
}

/** Null unless requested. */
async function documentServer(
  announcements: Announcements,
  { documentPort, interfaces }: AnnouncingRequest,
  { clock, listen, networkInterfaces }: Io,
  reporter: Reporter,
): Promise<DocumentServer | null> {
  if (documentPort === null) return null;
  const { DocumentServer } = await import("./document-server.ts");
  const addresses = (): readonly (string | null)[] =>
    interfaces.length === 0 ? [null] : chosenAddresses(interfaces, networkInterfaces());
  const announced = (): readonly Announcement[] => announcements.current;
  return new DocumentServer({ port: documentPort, addresses, announced, clock, listen, reporter });
}

/** Links with other hosts that announcements reach; none if they stay on this machine. */
export function linksOf(
  { interfaces }: AnnouncingRequest,
  { networkInterfaces, readSystem }: Io,
): readonly SystemInterface[] {
  if (staysOnMachine(interfaces, networkInterfaces())) return [];
  const links = readSystem().interfaces.filter(({ kind }) => kind === "lan" || kind === "tunnel");
  if (interfaces.length === 0) return links;
  return links.filter(({ name, addresses }) => {
    return interfaces.includes(name) || addresses.some(({ address }) => interfaces.includes(address));
  });
}

/** Scope such as `over mdns on every interface`. */
function whereOf({ configuration, interfaces }: AnnouncingRequest, { readSystem }: Io): string {
  const where = interfaces.length === 0 ? everywhere(readSystem()) : interfaces.join(", ");
  return `over ${namesOf(configuration).join(", ")} on ${where}`;
}

/** Prints a failure; an announcement that no transport can make (`RangeError`) and a taken port are usage errors. */
export function failureCode(
  error: unknown,
  configuration: Configuration,
  { error: print }: Reporter,
): number {
  const mistake = error instanceof RangeError ? error : takenAddress(failuresOf(error), configuration);
  if (mistake) {
    print(mistake.message);
    return exitCode.usage;
  }
  for (const failure of failuresOf(error)) print(describeFailure(failure));
  return exitCode.failed;
}
