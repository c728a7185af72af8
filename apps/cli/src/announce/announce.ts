import { hostname } from "node:os";
import type { Discovery } from "@lmserv/discovery-core";
import { namesOf } from "../config/configuration.ts";
import { exitCode } from "../exit-code.ts";
import { readKeyFile } from "../gateway/key-file.ts";
import { interruptedCode, isEndedBy } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { LocalServerChange } from "../local-servers/local-server.ts";
import { assumeServer } from "../local-servers/local-servers.ts";
import { machineServers, portsToWatch } from "../local-servers/machine-servers.ts";
import type { AnnounceRequest } from "../options/request.ts";
import { UsageError } from "../options/usage-error.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import type { Shares } from "../sharing/shares.ts";
import { rivalText } from "./announcements.ts";
import {
  Announcing,
  type AnnouncingRequest,
  configureAnnouncing,
  failureCode,
  linksOf,
} from "./announcing.ts";

/**
 * Announces servers of this machine for as long as they answer, until a signal; resolves with the exit code.
 */
export async function announce(request: AnnounceRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const endpoint = (): string => (request.port === null ? "machine" : `${request.port}`);
  const announcing = await configureAnnouncing(request, io, reporter, endpoint);
  const shares = await sharesOf(announcing, io, reporter);
  const claim = await claimNamed(announcing, io);
  try {
    const changes = serverChanges(announcing, io, shares, signal);
    await keepAnnounced({ request: announcing, shares, changes, io, reporter, signal });
  } catch (error) {
    if (!signal.aborted) return failureCode(error, announcing.configuration, reporter);
  } finally {
    await claim?.[Symbol.asyncDispose]();
  }
  // Goodbye at SIGTERM is the regular end of a service.
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** Servers to announce, with their context. */
export interface KeptAnnouncements {
  readonly request: AnnouncingRequest;
  /** Null if none is shared. */
  readonly shares: Shares | null;
  readonly changes: AsyncIterable<LocalServerChange>;
  /** Open transports with other users. @default it opens its own */
  readonly discovery?: Discovery;
  readonly io: Io;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Announces servers while they answer and says goodbye when they do not; rejects when `signal` aborts. */
export async function keepAnnounced(kept: KeptAnnouncements): Promise<void> {
  const { request, shares, changes, reporter } = kept;
  const isNamed = request.port !== null;
  const opening = Announcing.open({
    ...kept,
    isAwaited: (port) => isNamed || request.ports.includes(port),
    claims: !isNamed,
    couldShare: request.share === null,
  });
  const names = namesOf(request.configuration).join(", ");
  const announcing = await showing(kept.io, reporter, `opening ${names}`, opening);
  try {
    reporter.note(waitingText(request));
    for await (const change of changes) await announcing.apply(change);
  } finally {
    await announcing.end();
    await shares?.[Symbol.asyncDispose]();
  }
}

/**
 * Claims the named port; null without one.
 *
 * @throws {UsageError} when another process announces it: each would hide the other.
 */
export async function claimNamed(
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
  if (!check) return `announcing port ${port}, even if no server answers`;
  return port === null
    ? "announcing the LLM servers that answer on this machine; stop with Ctrl-C"
    : `announcing port ${port} while a server answers there; stop with Ctrl-C`;
}

/** Null unless requested. */
export async function sharesOf(
  request: AnnouncingRequest,
  io: Io,
  reporter: Reporter,
): Promise<Shares | null> {
  const { share, overrides } = request;
  if (share === null) return null;
  const key = share.keyFile === null ? null : await readKeyFile(share.keyFile, io, reporter);
  const { Shares } = await import("../sharing/shares.ts");
  const links = () => linksOf(request, io);
  return new Shares({ links, key, path: overrides.path ?? null, hostname: hostname(), io, reporter });
}

/** Changes of the requested servers. */
export function serverChanges(
  { check, port, ports }: AnnounceRequest,
  io: Io,
  shares: Shares | null,
  signal: AbortSignal,
): AsyncIterable<LocalServerChange> {
  if (!check && port !== null) return assumeServer(port, io.clock, signal);
  const watched = { ports: portsToWatch(port, ports), isNamed: port !== null };
  if (!shares) return machineServers(watched, io, signal);
  return shares.over(machineServers({ ...watched, ...shares.watching() }, io, signal), signal);
}
