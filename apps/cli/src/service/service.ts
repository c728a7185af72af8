import { visibleLines } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";
import { exitCode } from "../exit-code.ts";
import type { Io } from "../io/io.ts";
import { UsageError } from "../options/usage-error.ts";
import { createReporter, type Reporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { launchdService } from "./launchd.ts";
import type { ServiceHost } from "./service-host.ts";
import { isInNpxCache, type ServicePlan, type ServiceSpec, type Step } from "./service-plan.ts";
import { systemdService } from "./systemd.ts";

/** Request of `lmserv service`. */
export interface ServiceRequest extends ServiceSpec {
  readonly action: "install" | "uninstall" | "status";
  /** True to show the file only. */
  readonly print: boolean;
}

/** Makes the system run a command from its start on, or undoes that; resolves with the exit code. */
export async function manageService(request: ServiceRequest, io: Io): Promise<number> {
  const host = await io.serviceHost();
  const plan = planOf(request, host);
  const reporter = createReporter(io.stderr, { quiet: false, verbose: false });
  if (request.print) {
    io.stdout.write(visibleLines(plan.text));
    for (const note of plan.notes) reporter.note(note);
    return exitCode.found;
  }
  if (request.action === "status") {
    const reading = host.run(plan.status);
    const { code, output } = await showing(io, reporter, `running ${plan.status.join(" ")}`, reading);
    io.stdout.write(`${visibleLines(output)}\n`);
    return code === 0 ? exitCode.found : exitCode.none;
  }
  const run: RunStep = (step) => take(step, host, io, reporter);
  return request.action === "install"
    ? install(plan, host, run, reporter)
    : uninstall(plan, host, run, reporter);
}

/** @throws {UsageError} if there is no such manager, or the command is about to vanish. */
function planOf(request: ServiceRequest, host: ServiceHost): ServicePlan {
  if (request.action === "install" && isInNpxCache(host.script)) {
    throw new UsageError(
      `${host.script} is in the cache of npx, which is emptied: install the command first, with npm install --global @lmserv/cli`,
    );
  }
  const odd = request.args.find((word) => /\p{Cc}/u.test(word));
  if (odd !== undefined) {
    throw new UsageError(`${JSON.stringify(odd)} holds a control character, which no service file can hold`);
  }
  if (host.platform === "linux") return systemdService(request, host);
  if (host.platform === "darwin") return launchdService(request, host);
  throw new UsageError(
    `there is no service for ${host.platform}: systemd on Linux and launchd on macOS are known`,
  );
}

/** Returns false if the program failed. */
type RunStep = (step: Step) => Promise<boolean>;

async function install(
  plan: ServicePlan,
  host: ServiceHost,
  run: RunStep,
  reporter: Reporter,
): Promise<number> {
  try {
    await host.write(plan.file, plan.text);
  } catch (error) {
    reporter.error(`cannot write ${plan.file}: ${explain(error)}; as root, or with --user`);
    return exitCode.broken;
  }
  reporter.note(`wrote ${plan.file}`);
  for (const step of plan.install) {
    if (await run(step)) continue;
    reporter.note(`${plan.file} stays: repair what is wrong and install it again, or uninstall it`);
    return exitCode.broken;
  }
  for (const note of plan.notes) reporter.note(note);
  return exitCode.found;
}

async function uninstall(
  plan: ServicePlan,
  host: ServiceHost,
  run: RunStep,
  reporter: Reporter,
): Promise<number> {
  // A failed stop, as of a missing service, does not keep its file.
  for (const step of plan.stop) await run(step);
  try {
    const isRemoved = await host.remove(plan.file);
    reporter.note(isRemoved ? `removed ${plan.file}` : `there is no ${plan.file}`);
  } catch (error) {
    reporter.error(`cannot remove ${plan.file}: ${explain(error)}; as root, or with --user`);
    return exitCode.broken;
  }
  for (const step of plan.clean) if (!(await run(step))) return exitCode.broken;
  return exitCode.found;
}

/** Runs a program of the system, and reports it; returns false if it fails. */
async function take(step: Step, { run }: ServiceHost, io: Io, reporter: Reporter): Promise<boolean> {
  const { code, output } = await showing(io, reporter, `running ${step.join(" ")}`, run(step));
  if (code === 0) reporter.note(`ran ${step.join(" ")}`);
  else reporter.warn(`${step.join(" ")} ended with ${code}: ${output}`);
  return code === 0;
}
