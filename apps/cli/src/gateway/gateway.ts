import { hostname } from "node:os";
import type { Discovery } from "@lmserv/discovery-core";
import { configure, namesOf } from "../config/configuration.ts";
import { close, openDiscovery } from "../discover/opening.ts";
import { exitCode } from "../exit-code.ts";
import { interruptedCode, isEndedBy } from "../io/interruption.ts";
import type { Io } from "../io/io.ts";
import { localTransport } from "../local-servers/local-transport.ts";
import { machineServers, portsToWatch } from "../local-servers/machine-servers.ts";
import type { Request } from "../options/request.ts";
import { describeFailure, failuresOf } from "../output/failure.ts";
import { createReporter } from "../output/reporter.ts";
import { showing } from "../output/spinner.ts";
import { Endpoint } from "./endpoint.ts";

/** Serves all nodes at one endpoint until a signal; resolves with the exit code. */
export async function serveGateway(request: Request, io: Io, signal: AbortSignal): Promise<number> {
  const reporter = createReporter(io.stderr, request);
  const configuration = await configure(request, io, reporter, { interactive: true, identity: null });
  const endpoint = await Endpoint.prepare(configuration, request, io, reporter);
  const own = localTransport(
    (ending) => machineServers({ ports: portsToWatch(null, []), isNamed: false }, io, ending),
    hostname(),
  );
  let discovery: Discovery;
  try {
    const composed = [...configuration.composed, own];
    const options = await endpoint.openingOptions(signal);
    const opening = openDiscovery({ ...configuration, composed }, io, options);
    discovery = await showing(io, reporter, `opening ${namesOf(configuration).join(", ")}`, opening);
  } catch (error) {
    if (signal.aborted) return interruptedCode(signal);
    for (const failure of failuresOf(error)) reporter.error(describeFailure(failure));
    return exitCode.failed;
  }
  try {
    await endpoint.serve(discovery, signal);
  } finally {
    await close(discovery, reporter);
  }
  return isEndedBy("SIGTERM", signal) ? exitCode.found : interruptedCode(signal);
}
