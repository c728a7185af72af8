import { explain, linkedAbort, sleep } from "@lmserv/discovery-core/transport";
import { type Child, StartError } from "../io/child.ts";
import { interruptedCode, type SignalName } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import { ChildPorts } from "../local-servers/child-ports.ts";
import type { LocalServerChange } from "../local-servers/local-server.ts";
import { answeringAt, machineServers, portsToWatch } from "../local-servers/machine-servers.ts";
import type { RunRequest } from "../options/request.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { ignoredText } from "./announcements.ts";
import { Announcing, type AnnouncingRequest, configureAnnouncing, failureCode } from "./announcing.ts";

/** Time without a server until the user is told, in ms. */
const patienceMs = 60_000;
/** Time that the goodbye may take after the child's end, in ms. */
const goodbyeMs = 2_000;

/** Passes the signals of this process to a listener, instead of ending. */
export type TakeSignals = (listener: (name: SignalName) => void) => void;

/** Starts a server and announces it while it answers, until it ends; resolves with its exit code. */
export async function runServer(
  request: RunRequest,
  io: Io,
  signal: AbortSignal,
  takeSignals: TakeSignals,
): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const announcer = await ChildAnnouncer.configure(request, io, reporter);
  const ports = await portsOf(request, io, signal);
  if (signal.aborted) return interruptedCode(signal);
  const child = await start(request, io, reporter);
  if (typeof child === "number") return child;
  takeSignals((name) => pass(name, child, reporter));
  ports.start(child.pid);
  const ending = linkedAbort(signal);
  const announcing = announcer.keep(ports, ending.signal);
  const code = await child.ended;
  ending.abort();
  const late = new AbortController();
  await Promise.race([announcing, sleep(io.clock, goodbyeMs, late.signal)]).finally(() => late.abort());
  return code;
}

function portsOf({ port, ports }: RunRequest, io: Io, signal: AbortSignal): Promise<ChildPorts> {
  const { readListeners, readSocketsBelow } = io;
  const answering = answeringAt(io);
  const options = {
    ports: portsToWatch(port, ports),
    isNamed: port !== null,
    readListeners,
    readSocketsBelow,
    isAccepted: async (asked: number, ending: AbortSignal) => (await answering(asked, ending)).length > 0,
  };
  return ChildPorts.before(options, signal);
}

/** Child, or the exit code if it cannot be started. */
async function start({ command }: RunRequest, io: Io, reporter: Reporter): Promise<Child | number> {
  try {
    const child = await io.startChild(command);
    reporter.note(`started ${command[0]} as process ${child.pid}; it is announced while it answers`);
    return child;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    reporter.error(error.message);
    return error.exitCode;
  }
}

function pass(name: SignalName, child: Child, reporter: Reporter): void {
  try {
    child.pass(name);
  } catch (error) {
    reporter.warn(`cannot pass ${name} on to process ${child.pid}: ${explain(error)}`);
  }
}

/** Announces the servers of a child; nothing is opened before the first of them answers. */
class ChildAnnouncer {
  readonly #request: AnnouncingRequest;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #first: { port: number | null };
  #announcing: Announcing | null = null;

  private constructor(
    request: AnnouncingRequest,
    io: Io,
    reporter: Reporter,
    first: { port: number | null },
  ) {
    this.#request = request;
    this.#io = io;
    this.#reporter = reporter;
    this.#first = first;
  }

  /** @throws {UsageError} for a mistake in the configuration, and for one without an announcing transport. */
  static async configure(request: RunRequest, io: Io, reporter: Reporter): Promise<ChildAnnouncer> {
    // The first port names the key: commands side by side have one each, and keep it.
    const first = { port: request.port };
    const configured = await configureAnnouncing(request, io, reporter, () => `${first.port}`);
    return new ChildAnnouncer(configured, io, reporter, first);
  }

  /** Announces until the signal aborts; a failure is reported, and the child runs on. */
  async keep(ports: ChildPorts, signal: AbortSignal): Promise<void> {
    const cancel = this.#io.clock.schedule(patienceMs, () => void this.#tellMissing(ports));
    try {
      for await (const change of this.#changes(ports, signal)) {
        cancel();
        await this.#apply(change, signal);
      }
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    } finally {
      cancel();
      await this.#announcing?.end();
    }
  }

  #changes(ports: ChildPorts, signal: AbortSignal): AsyncIterable<LocalServerChange> {
    const { port, ports: further } = this.#request;
    const watched = {
      ports: portsToWatch(port, further),
      isNamed: port !== null,
      readListeners: () => ports.readListeners(),
      isAccepted: (asked: number, ending: AbortSignal) => ports.isAccepted(asked, ending),
    };
    return machineServers(watched, this.#io, signal);
  }

  async #apply(change: LocalServerChange, signal: AbortSignal): Promise<void> {
    const [request, io, reporter] = [this.#request, this.#io, this.#reporter];
    if (!this.#announcing && change.kind === "ignored") {
      return reporter.note(ignoredText(change.port, change.reason));
    }
    if ("server" in change) this.#first.port ??= change.server.port;
    const options = { request, isAwaited: () => true, claims: true, io, reporter, signal };
    this.#announcing ??= await Announcing.open(options);
    await this.#announcing.apply(change);
  }

  async #tellMissing(ports: ChildPorts): Promise<void> {
    const { port, ports: further } = this.#request;
    const since = `within ${patienceMs / 1_000} s of its start`;
    if (port !== null) {
      const rival = ports.isEarlier(port) ? ": another program has had it since before" : "";
      return this.#reporter.warn(`the command has not answered on port ${port} ${since}${rival}`);
    }
    const others = await ports.others();
    const advice =
      others.length > 0
        ? `it listens on ${others.join(", ")}: name the port with --port ${others[0]}`
        : "if it listens on another, name that with --port";
    const watched = portsToWatch(null, further).join(", ");
    this.#reporter.warn(`the command has answered on none of the ports ${watched} ${since}; ${advice}`);
  }

  #fail(error: unknown): void {
    const reporter = this.#reporter;
    try {
      failureCode(error, this.#request.configuration, reporter);
    } catch {
      reporter.error(explain(error));
    }
    reporter.warn("the command runs on and is not announced");
  }
}
