import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Host } from "@lmserv/test-netlab";
import { type EventLog, eventLog } from "../harness/event-log.ts";
import { type Server, startServer } from "../harness/server.ts";

/** Port on which Ollama listens. */
export const port = 11_434;

/** One line of `lmserv discover --watch --json`, as much of it as is measured. */
export interface WatchEvent {
  readonly type: string;
  readonly reason: string | null;
  readonly info: string;
  readonly state: string | null;
  readonly models: readonly string[];
}

const program = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));

function lmserv(...args: readonly string[]): Command {
  return [process.execPath, program, ...args];
}

/** A machine with a server and `lmserv announce`. */
export interface Machine {
  readonly host: Host;
  readonly server: Server;
}

/** Starts a server and its announcer, whose identity lies in a folder of the host's own. */
export async function startMachine(host: Host, folder: string): Promise<Machine> {
  const server = await startServer(host, [port]);
  await host.spawn(lmserv("announce"), { env: { XDG_STATE_HOME: join(folder, host.name) } });
  return { host, server };
}

/** Starts `lmserv discover --watch --json`. */
export async function startWatch(host: Host): Promise<EventLog<WatchEvent>> {
  return eventLog(await host.spawn(lmserv("discover", "--watch", "--json")), readEvent);
}

function readEvent(line: string): WatchEvent | null {
  const { type, reason = null, node } = JSON.parse(line);
  if (!node) return null;
  return { type, reason, info: node.info, state: node.health?.state ?? null, models: node.models };
}
