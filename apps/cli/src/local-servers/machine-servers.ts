import { defaultPorts, documentPort } from "@lmserv/discovery-fingerprint";
import type { Io } from "../io/io.ts";
import { ownAddresses } from "../options/interfaces.ts";
import type { LocalServerChange } from "./local-server.ts";
import { type LocalServersOptions, watchLocalServers } from "./local-servers.ts";

/** Ports to watch, with their sources. */
export type MachineServersOptions = Pick<LocalServersOptions, "ports" | "isNamed" | "isAccepted"> &
  Partial<Pick<LocalServersOptions, "readListeners" | "answering">>;

/** Default ports of LLM servers; the port of documents is our own. */
const serverPorts = defaultPorts.filter((port) => port !== documentPort);

/** Port that the user named, or the known ones and further ones. */
export function portsToWatch(named: number | null, further: readonly number[]): readonly number[] {
  return named === null ? [...new Set([...serverPorts, ...further])] : [named];
}

/** Yields every change of the servers on ports of this machine; rejects when `signal` aborts. */
export function machineServers(
  options: MachineServersOptions,
  io: Io,
  signal: AbortSignal,
): AsyncIterable<LocalServerChange> {
  const { clock, random, fingerprint, readListeners } = io;
  const answering = answeringAt(io);
  return watchLocalServers({ clock, random, readListeners, fingerprint, answering, signal, ...options });
}

/** Finds the own addresses that accept a connection to a port. */
export function answeringAt({ check, networkInterfaces }: Io): LocalServersOptions["answering"] {
  return async (port, signal) => {
    const own = ownAddresses(networkInterfaces());
    const checks = await Promise.all(own.map((address) => check({ address, port, ask: false, signal })));
    return own.filter((_, index) => checks[index] === "no-answer" || checks[index] === "closed");
  };
}
