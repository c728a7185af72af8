import { resolve } from "node:path";
import type { DiscoverOptions, Discovery, NodeInfo } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";
import { unreadyReason } from "@lmserv/discovery-gateway/document";
import { configure, firstPassMs } from "../config/configuration.ts";
import { close, openDiscovery } from "../discover/opening.ts";
import { exitCode, judge } from "../exit-code.ts";
import { interruptedCode, isEndedBy } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import type { Request } from "../options/request.ts";
import { describeFailure, failuresOf, failuresOfAll } from "../output/failure.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { startSpinner } from "../output/spinner.ts";
import { exported, faceOfExport } from "./export-format.ts";
import type { ExportFormat } from "./export-formats.ts";
import { QuietPeriod } from "./quiet-period.ts";

/** Request of `lmserv export`. */
export interface ExportRequest extends Request {
  readonly format: ExportFormat;
  /** True to go on with every change. */
  readonly watch: boolean;
  /** File to write, or null for stdout. */
  readonly out: string | null;
  /** Command line to run after the file was written, or null. */
  readonly exec: string | null;
  /** Null for no limit. */
  readonly timeoutMs: number | null;
}

const defaultTimeoutMs = 3_000;
/** Time limit of a command, in ms: loading a configuration takes moments. */
const hookMs = 30_000;
/** Wait before a failed file is tried again, in ms. */
const retryMs = 10_000;
/** Interval of checking whether the first look is over, in ms. */
const unreadyMs = 1_000;

/** Writes the list for another program, once or at every change; resolves with the exit code. */
export async function exportNodes(request: ExportRequest, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const configuration = await configure(request, io, reporter, { interactive: true, identity: null });
  const timeoutMs = request.timeoutMs ?? Math.max(defaultTimeoutMs, await firstPassMs(configuration));
  const stopSpinner = startSpinner(io, reporter, () => "looking for LLM servers");
  let discovery: Discovery;
  try {
    discovery = await openDiscovery(configuration, io, {
      health: await io.health({ certificates: "any" }),
      log: reporter.log,
      onWarning: (warning) => reporter.warn(describeFailure(warning)),
      waitForNetwork: request.watch,
      signal,
    });
  } catch (error) {
    stopSpinner();
    if (signal.aborted) return interruptedCode(signal);
    for (const failure of failuresOf(error)) reporter.error(describeFailure(failure));
    return exitCode.failed;
  }
  try {
    const exporter = new Exporter({ request, discovery, io, reporter, endFirstLook: stopSpinner });
    if (request.watch) return await exporter.watch(signal);
    return await exporter.once({ timeoutMs, untilSettled: request.timeoutMs === null }, signal);
  } finally {
    stopSpinner();
    await close(discovery, reporter);
  }
}

interface ExporterParts {
  readonly request: ExportRequest;
  readonly discovery: Discovery;
  readonly io: Io;
  readonly reporter: Reporter;
  /** Called before each write. */
  readonly endFirstLook: () => void;
}

class Exporter {
  readonly #request: ExportRequest;
  readonly #discovery: Discovery;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #endFirstLook: () => void;
  readonly #file: string | null;
  /** Last written export, without times. */
  #written: string | null = null;
  /** Cause of the last failure. */
  #trouble = "";

  constructor({ request, discovery, io, reporter, endFirstLook }: ExporterParts) {
    this.#request = request;
    this.#discovery = discovery;
    this.#io = io;
    this.#reporter = reporter;
    this.#endFirstLook = endFirstLook;
    this.#file = request.out === null ? null : resolve(io.cwd, request.out);
  }

  async once(
    look: Pick<DiscoverOptions, "timeoutMs" | "untilSettled">,
    signal: AbortSignal,
  ): Promise<number> {
    let nodes: readonly NodeInfo[];
    try {
      nodes = await this.#discovery.discover({ ...look, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
      return interruptedCode(signal);
    }
    const failures = failuresOfAll(this.#discovery);
    const code = judge({ count: nodes.length, wanted: 1, failures });
    for (const failure of failures) this.#reporter.error(describeFailure(failure));
    // A list that no transport could fill replaces none.
    if (code === exitCode.failed) return code;
    if (await this.#write(nodes)) return code;
    return exitCode.broken;
  }

  async watch(signal: AbortSignal): Promise<number> {
    let turn: Promise<unknown> = Promise.resolve();
    const quiet = new QuietPeriod(this.#io.clock, () => {
      turn = turn.then(() => this.#adjust(quiet));
    });
    quiet.touch();
    try {
      for await (const _ of this.#discovery.watch({ signal })) quiet.touch();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      quiet.stop();
      await turn;
      quiet.stop();
    }
    // SIGTERM is the regular end of a service.
    return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
  }

  /** Updates the file from the list, once that is ready. */
  async #adjust(quiet: QuietPeriod): Promise<void> {
    if (unreadyReason(this.#discovery) !== null) return quiet.after(unreadyMs);
    const nodes = this.#discovery.registry.listAlive();
    if (faceOfExport(this.#request.format, nodes) === this.#written) return;
    if (!(await this.#write(nodes))) quiet.after(retryMs);
  }

  /** Returns false if the file could not be written; the old one remains then. */
  async #write(nodes: readonly NodeInfo[]): Promise<boolean> {
    this.#endFirstLook();
    const { format, exec } = this.#request;
    const text = exported(format, nodes);
    if (this.#file === null) {
      this.#io.stdout.write(text);
    } else if (!(await this.#replace(this.#file, text))) {
      return false;
    }
    this.#written = faceOfExport(format, nodes);
    if (exec !== null) await this.#run(exec);
    return true;
  }

  async #replace(file: string, text: string): Promise<boolean> {
    try {
      await this.#io.replaceFile(file, text);
    } catch (error) {
      this.#tell(`cannot write ${file}, which stays as it was: ${explain(error)}`);
      return false;
    }
    if (this.#trouble !== "") this.#reporter.note(`wrote ${file}`);
    this.#trouble = "";
    return true;
  }

  /** Reports each failure once. */
  #tell(trouble: string): void {
    if (trouble !== this.#trouble) this.#reporter.warn(trouble);
    this.#trouble = trouble;
  }

  async #run(command: string): Promise<void> {
    const failure = await this.#io.runHook(command, hookMs);
    if (failure === null) this.#reporter.log("info", `ran ${command}`);
    else
      this.#reporter.warn(`--exec ${JSON.stringify(command)}: ${failure}; it runs again at the next change`);
  }
}
