import { visibleLines, visibleText } from "@lmserv/discovery-core";
import { withoutCredentials } from "@lmserv/discovery-core/transport";
import type { TakeSignals } from "./announce/child-server.ts";
import { exitCode } from "./exit-code.ts";
import { endingSignals, Interruption, interruptedCode, isEndedBy, passedSignals } from "./io/interruption.ts";
import type { Io, Output } from "./io/io.ts";
import { execute } from "./program.ts";

/** npm passes on the Ctrl-C that the terminal gave its child already: two signals this close are one. */
const sameKeyMs = 100;

/** Runs a command line and resolves with its exit code; a second signal does not wait for the end. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const ending = new AbortController();
  const { signal } = ending;
  const outputCode = guardOutput(io, ending);
  const signals = guardSignals(io, ending);
  const guards = [signals, guardFaults(io, ending)];
  /** Runs a command that only its reader needs. */
  const read = async (command: () => Promise<number>): Promise<number> => {
    const stop = io.onReaderGone(() => ending.abort(new Interruption("output")));
    return command().finally(stop);
  };
  const finish = async (): Promise<number> => {
    const code = await execute(argv, io, {
      discover: (request) =>
        read(async () => (await import("./discover/discover.ts")).discover(request, io, signal)),
      watch: (request) => read(async () => (await import("./discover/watch.ts")).watch(request, io, signal)),
      doctor: (request) => read(async () => (await import("./doctor/doctor.ts")).doctor(request, io, signal)),
      announce: async (request) => (await import("./announce/announce.ts")).announce(request, io, signal),
      run: async (request) =>
        (await import("./announce/child-server.ts")).runServer(request, io, signal, signals.take),
      up: async (request) => (await import("./up/up.ts")).up(request, io, signal),
      gateway: async (request) => (await import("./gateway/gateway.ts")).serveGateway(request, io, signal),
      export: async (request) => (await import("./export/export.ts")).exportNodes(request, io, signal),
      env: async (request) => (await import("./export/env.ts")).printEnvironment(request, io, signal),
      service: async (request) => (await import("./service/service.ts")).manageService(request, io),
      print: async (request) => (await import("./config/print.ts")).print(request, io),
    });
    await Promise.all([flush(io.stdout), flush(io.stderr)]);
    return outputCode() ?? code;
  };
  try {
    return await Promise.race([finish(), ...guards.map(({ forced }) => forced)]);
  } catch (error) {
    return printFault(error, io);
  } finally {
    for (const { stop } of guards) stop();
  }
}

function printFault(error: unknown, { stderr }: Io): number {
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`lmserv: error: ${visibleLines(withoutCredentials(trace))}\n`);
  return exitCode.broken;
}

/** Ends the command when its output fails; returns a function with the exit code of that, or null. */
function guardOutput({ stdout, stderr }: Io, ending: AbortController): () => number | null {
  let code: number | null = null;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // After SIGHUP the terminal is gone, and its output is not missed.
    if (code !== null || isEndedBy("SIGHUP", ending.signal)) return;
    // A reader that has seen enough, such as `head`, is no failure.
    code = error.code === "EPIPE" ? exitCode.found : exitCode.broken;
    const why = visibleText(error.message);
    if (code === exitCode.broken) stderr.write(`lmserv: error: cannot write the result: ${why}\n`);
    ending.abort(new Interruption("output"));
  });
  // Unread messages are no reason to stop.
  stderr.on("error", () => {});
  return () => code;
}

/** Lets the command end by itself at events that would end its process. */
interface Guard {
  /** Resolves with the exit code when the command must not be waited for. */
  readonly forced: Promise<number>;
  readonly stop: () => void;
}

interface SignalGuard extends Guard {
  /** Passes the signals to a listener: from then on none ends the command. */
  readonly take: TakeSignals;
}

/** The second signal forces the end. */
function guardSignals({ onSignal, clock }: Io, ending: AbortController): SignalGuard {
  let force = (_code: number): void => {};
  const forced = new Promise<number>((resolve) => {
    force = resolve;
  });
  let firstMs: number | null = null;
  let stop = onSignal(endingSignals, (name) => {
    const reason = new Interruption(name);
    firstMs ??= clock.now();
    if (!ending.signal.aborted) ending.abort(reason);
    else if (clock.now() - firstMs >= sameKeyMs) force(interruptedCode({ reason }));
  });
  return {
    forced,
    stop: () => stop(),
    take: (listener) => {
      stop();
      stop = onSignal(passedSignals, listener);
    },
  };
}

/** After an uncaught error the command still says goodbye; the next one forces the end. */
function guardFaults(io: Io, ending: AbortController): Guard {
  let stop = (): void => {};
  const forced = new Promise<number>((resolve) => {
    stop = io.onFault((error) => {
      const code = printFault(error, io);
      if (ending.signal.aborted) resolve(code);
      else ending.abort(new Interruption("fault"));
    });
  });
  return { forced, stop };
}

/** Resolves when all output was written, or cannot be. */
function flush(stream: Output): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
