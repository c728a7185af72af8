import { fileURLToPath } from "node:url";
import type { Host, HostProcess } from "@lmserv/test-netlab";

/** A running server that shows what Ollama shows. */
export interface Server {
  readonly process: HostProcess;
  /** Adds a model to its list. */
  readonly pull: (model: string) => void;
  /** HTTP requests of other hosts so far. */
  readonly requests: () => Promise<number>;
}

/** Starts a server that listens on all these ports; resolves when it does. */
export async function startServer(host: Host, ports: readonly number[]): Promise<Server> {
  const program = fileURLToPath(import.meta.resolve("@lmserv/bench/harness/programs/ollama"));
  const process_ = await host.spawn([process.execPath, program, ...ports.map(String)]);
  await Promise.all(ports.map((port) => process_.line((line) => line === `listening ${port}`)));
  return {
    process: process_,
    pull: (model) => process_.stdin.write(`pull ${model}\n`),
    async requests() {
      const from = process_.lines.length;
      process_.stdin.write("count\n");
      const line = await process_.line((candidate) => candidate.startsWith("requests "), { from });
      return Number(line.split(" ")[1]);
    },
  };
}
