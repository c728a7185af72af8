import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Persona } from "./chat-api.ts";

const personas: readonly Persona[] = [
  { info: "gpu-box-01", model: "parrot-3b" },
  { info: "gpu-box-02", model: "parrot-7b" },
  { info: "mac-studio", model: "parrot-13b" },
];

const program = fileURLToPath(new URL("./chat-server.js", import.meta.url));
/** Longer than any goodbye takes. */
const graceMs = 2_000;

/** Chat servers, each a process of its own; disposal ends those that still run. */
export interface ChatFleet extends AsyncDisposable {
  /** By the identity that each announces. */
  readonly servers: ReadonlyMap<string, Persona>;
  /** Kills one, which has no time for a goodbye. */
  readonly kill: (id: string) => void;
  /** Identities of those that were killed. */
  readonly killed: ReadonlySet<string>;
  /** Asks all to say goodbye and to end. */
  readonly stop: () => void;
}

/**
 * Starts the servers on free ports of `address`; who wants to know the ports has to discover them.
 *
 * They end with this process, however it ends: each notices that the channel to it closed.
 *
 * @param onLoss - Called when a server ends before it was asked to.
 */
export function startFleet(address: string, onLoss: (error: Error) => void): ChatFleet {
  const servers = new Map<string, Persona>(personas.map((persona) => [randomUUID(), persona]));
  let stopping = false;
  const killed = new Set<string>();
  const processes = new Map<string, ChildProcess>();
  for (const [id, { info, model }] of servers) {
    const args = ["--address", address, "--id", id, "--info", info, "--model", model];
    const child = fork(program, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.once("error", onLoss);
    child.once("exit", (code, signal) => {
      if (!stopping && !killed.has(id))
        onLoss(new Error(`server ${info} ended with ${signal ?? `exit code ${code}`}`));
    });
    processes.set(id, child);
  }
  const stop = (): void => {
    stopping = true;
    for (const child of processes.values()) child.kill("SIGTERM");
  };
  return {
    servers,
    killed,
    kill: (id) => {
      killed.add(id);
      processes.get(id)?.kill("SIGKILL");
    },
    stop,
    async [Symbol.asyncDispose]() {
      stop();
      await Promise.all([...processes.values()].map(ended));
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await once(child, "exit");
  clearTimeout(timer);
}
