import { defaultPorts, documentPort } from "@lmserv/discovery-fingerprint";
import type { Io } from "../io/io.ts";
import { ownAddresses } from "../options/interfaces.ts";
import type { LocalServerChange } from "./local-server.ts";
import { type LocalServersOptions, watchLocalServers } from "./local-servers.ts";

/** Ports to watch, and what tells that they are open. */
export type MachineServersOptions = Pick<LocalServersOptions, "ports" | "isNamed" | "isAccepted"> &
  Partial<Pick<LocalServersOptions, "readListeners" | "answering">>;

/** Ports on which LLM servers listen unless told otherwise; the port of documents is our own. */
const serverPorts = defaultPorts.filter((port) => port !== documentPort);

/** The port that the user named, or those that are known and further ones. */
export function portsToWatch(named: number | null, further: readonly number[]): readonly number[] {
  return named === null ? [...new Set([...serverPorts, ...further])] : [named];
}

/** Yields every change of the servers on ports of this machine; rejects when `signal` aborts. */
export function machineServers(
  options: MachineServersOptions,
  io: Io,
  signal: AbortSignal,
): AsyncIterable<LocalServerChange> {
  const { clock, random, look, readListeners } = io;
  const answering = answeringAt(io);
  return watchLocalServers({ clock, random, readListeners, look, answering, signal, ...options });
}

/** Finds the own addresses that accept a connection to a port. */
export function answeringAt({ check, networkInterfaces }: Io): LocalServersOptions["answering"] {
  return async (port, signal) => {
    const own = ownAddresses(networkInterfaces());
    const checks = await Promise.all(own.map((address) => check({ address, port, ask: false, signal })));
    return own.filter((_, index) => checks[index] === "no-answer" || checks[index] === "closed");
  };
}
