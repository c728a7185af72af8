import type { NodeInfo } from "@lmserv/discovery-core";
import { type Check, isLoopback } from "@lmserv/discovery-core/transport";
import type { Configuration } from "../config/configuration.ts";
import { openDiscovery } from "../discover/opening.ts";
import type { Io } from "../io/io.ts";
import { answeringAt, portsToWatch } from "../local-servers/machine-servers.ts";
import { rebindingAdvice } from "../local-servers/rebinding.ts";
import { ownAddresses } from "../options/interfaces.ts";
import type { Reporter } from "../output/reporter.ts";
import { hostCheck } from "./environment.ts";

/** Looks for servers as `lmserv discover` does, and reports how many other machines have; none if it cannot look. */
export async function sightings(
  configuration: Configuration,
  timeoutMs: number,
  io: Io,
  { log }: Reporter,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const nodes = await listed(configuration, timeoutMs, io, log, signal);
  if (!nodes) return [];
  const own = new Set(ownAddresses(io.networkInterfaces()));
  const others = nodes.filter(({ host }) => !own.has(host));
  const names = configuration.transports.map(({ name }) => name).join(", ");
  if (others.length === 0) {
    const here = nodes.length > 0 ? `, and ${nodes.length} of this one` : "";
    const message = `no LLM server of another machine is listed over ${names}${here}`;
    return [hostCheck("no-server-found", { message, fix: "on the machine that serves, run: lmserv up" })];
  }
  const count = others.length === 1 ? "1 LLM server" : `${others.length} LLM servers`;
  const vias = new Set(others.flatMap(({ sources }) => sources.map(({ transport }) => transport)));
  const message = `${count} of other machines listed over ${[...vias].join(", ")}`;
  return [hostCheck("servers-found", { message })];
}

async function listed(
  configuration: Configuration,
  timeoutMs: number,
  io: Io,
  log: Reporter["log"],
  signal: AbortSignal,
): Promise<readonly NodeInfo[] | null> {
  try {
    await using discovery = await openDiscovery(configuration, io, { log, waitForNetwork: false, signal });
    return await discovery.discover({ timeoutMs, untilSettled: true, signal });
  } catch (error) {
    // The transports' own checks say what keeps them from looking.
    log("debug", `the doctor could not look for servers: ${String(error)}`);
    return null;
  }
}

/** Reports each LLM server of this machine that accepts no connection of other machines. */
export async function loopbackServers(io: Io, signal: AbortSignal): Promise<readonly Check[]> {
  const listeners = await io.readListeners();
  const known = portsToWatch(null, []);
  const ports = listeners ? known.filter((one) => listeners.some(({ port }) => port === one)) : known;
  const checks = await Promise.all(ports.map((port) => loopbackServer(port, io, signal)));
  return checks.flat();
}

async function loopbackServer(port: number, io: Io, signal: AbortSignal): Promise<readonly Check[]> {
  const answering = await answeringAt(io)(port, signal);
  const [first] = answering;
  if (first === undefined || !answering.every(isLoopback)) return [];
  const verdict = await io.fingerprint(first, port, signal);
  if (verdict.kind !== "server") return [];
  const { server } = verdict.identification;
  const message = `${server ?? "an LLM server"} on port ${port} of this machine listens on loopback only: other machines cannot reach it`;
  const fix = `run: lmserv up --share; or ${rebindingAdvice(server, process.platform)}`;
  return [hostCheck("server-on-loopback", { message, fix })];
}
