import { hostname } from "node:os";
import type { Discovery } from "@lmserv/discovery-core";
import { linkedAbort } from "@lmserv/discovery-core/transport";
import { claimNamed, keepAnnounced, serverChanges, sharesOf } from "../announce/announce.ts";
import {
  type AnnouncingRequest,
  configureAnnouncing,
  failureCode,
  openAnnouncing,
} from "../announce/announcing.ts";
import { namesOf } from "../config/configuration.ts";
import { close } from "../discover/opening.ts";
import { exitCode } from "../exit-code.ts";
import { Endpoint } from "../gateway/endpoint.ts";
import { interruptedCode, isEndedBy } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import { LocalServerFeed } from "../local-servers/local-server-feed.ts";
import { localTransport } from "../local-servers/local-transport.ts";
import { machineServers, portsToWatch } from "../local-servers/machine-servers.ts";
import type { AnnounceRequest } from "../options/request.ts";
import { UsageError } from "../options/usage-error.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import type { Shares } from "../sharing/shares.ts";
import { endpointOf, upClaim } from "./first-up.ts";

/**
 * Announces the servers of this machine and serves all nodes at one endpoint, in one discovery, until a signal; resolves
 * with the exit code.
 */
export async function up(request: AnnounceRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const name = (): string => (request.port === null ? "machine" : `${request.port}`);
  const announcing = await configureAnnouncing(request, io, reporter, name);
  const endpoint = await Endpoint.prepare(announcing.configuration, request, io, reporter);
  const shares = await sharesOf(announcing, io, reporter);
  const claiming = claimMachine(io);
  const claims = [await showing(io, reporter, "asking for another lmserv up on this machine", claiming)];
  try {
    const named = await claimNamed(announcing, io);
    if (named) claims.push(named);
    await new Up(announcing, endpoint, shares, io, reporter).run(signal);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (!signal.aborted) return failureCode(error, announcing.configuration, reporter);
  } finally {
    for (const claim of claims) await claim[Symbol.asyncDispose]();
  }
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}

/** @throws {UsageError} when another process does the same for this machine. */
async function claimMachine(io: Io): Promise<AsyncDisposable> {
  const claim = await io.claimPort(upClaim);
  if (claim.kind === "held") return claim;
  const who = claim.pid === null ? "a process that does not answer" : `process ${claim.pid}`;
  const url = claim.pid === null ? null : await endpointOf(claim.pid, io);
  const where = url === null ? "" : `; its endpoint is ${url}`;
  throw new UsageError(`lmserv up runs on this machine already, as ${who}${where}`);
}

/** One run over one discovery. */
class Up {
  readonly #request: AnnouncingRequest;
  readonly #endpoint: Endpoint;
  readonly #shares: Shares | null;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #feed = new LocalServerFeed();

  constructor(
    request: AnnouncingRequest,
    endpoint: Endpoint,
    shares: Shares | null,
    io: Io,
    reporter: Reporter,
  ) {
    this.#request = request;
    this.#endpoint = endpoint;
    this.#shares = shares;
    this.#io = io;
    this.#reporter = reporter;
  }

  /** Resolves after an orderly end; otherwise rejects with its cause. */
  async run(signal: AbortSignal): Promise<void> {
    const { configuration } = this.#request;
    const own = localTransport((ending) => this.#localChanges(ending), hostname());
    const composed = [...configuration.composed, own];
    const options = await this.#endpoint.openingOptions(signal);
    const opened = { ...configuration, composed };
    const opening = openAnnouncing(opened, this.#io, this.#reporter, options);
    const text = `opening ${namesOf(configuration).join(", ")}`;
    const discovery = await showing(this.#io, this.#reporter, text, opening);
    try {
      await this.#serveAndAnnounce(discovery, signal);
    } finally {
      await close(discovery, this.#reporter);
    }
  }

  /** If either fails, the other ends as well. */
  async #serveAndAnnounce(discovery: Discovery, signal: AbortSignal): Promise<void> {
    const ending = linkedAbort(signal);
    const fail = (error: unknown): never => {
      ending.abort(error);
      throw error;
    };
    let isListening = (): void => {};
    const listening = new Promise<void>((resolve) => {
      isListening = resolve;
    });
    const serving = this.#endpoint.serve(discovery, ending.signal, isListening).catch(fail);
    const announcing = Promise.race([listening, serving])
      .then(() => this.#announce(discovery, ending.signal))
      .catch(fail);
    const outcomes = await Promise.allSettled([serving, announcing]);
    ending.abort();
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #announce(discovery: Discovery, signal: AbortSignal): Promise<void> {
    const changes = serverChanges(this.#request, this.#io, this.#shares, signal);
    // One watch of the machine serves both.
    const following = this.#feed.follow(changes, signal);
    await keepAnnounced({
      request: this.#request,
      shares: this.#shares,
      changes: this.#feed.read(signal),
      discovery,
      io: this.#io,
      reporter: this.#reporter,
      signal,
    });
    await following;
  }

  /** Servers of this machine; a named port that is announced does not hide the others. */
  #localChanges(signal: AbortSignal): ReturnType<LocalServerFeed["read"]> {
    const { port, ports } = this.#request;
    if (port === null) return this.#feed.read(signal);
    return machineServers({ ports: portsToWatch(null, [...ports, port]), isNamed: false }, this.#io, signal);
  }
}
