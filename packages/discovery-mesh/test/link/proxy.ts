import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { serve } from "./servers.ts";

/** Something on the way that can stop passing bytes on, without a word to either side. */
export interface SwallowingProxy extends AsyncDisposable {
  readonly url: string;
  /** Takes everything from now on, and passes nothing on. */
  swallow(): void;
  /** Hangs up on the far side only. */
  forgetTarget(): void;
}

export async function swallowingProxy(port: number): Promise<SwallowingProxy> {
  let isSwallowing = false;
  const far = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    from.on("data", (chunk) => {
      if (!(isSwallowing || to.destroyed)) to.write(chunk);
    });
    from.on("error", () => {});
  };
  const server = createServer((client) => {
    const target = connect({ host: "127.0.0.1", port });
    far.add(target);
    pass(client, target);
    pass(target, client);
  });
  const served = await serve(server);
  return {
    url: served.url,
    swallow: () => {
      isSwallowing = true;
    },
    forgetTarget: () => {
      for (const socket of far) socket.destroy();
    },
    [Symbol.asyncDispose]: () => {
      for (const socket of far) socket.destroy();
      return served[Symbol.asyncDispose]();
    },
  };
}

/** A process of its own whose connection the other side has. */
export interface ProcessBetween extends AsyncDisposable {
  readonly url: string;
  kill(signal: NodeJS.Signals): void;
}

const relayScript = `
const { connect, createServer } = require("node:net");
const server = createServer((client) => {
  const target = connect({ host: "127.0.0.1", port: Number(process.argv[1]) });
  client.pipe(target).on("error", () => client.destroy());
  target.pipe(client).on("error", () => target.destroy());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** Starts a process that holds the connection to \`port\` and can be stopped or killed as a member can. */
export async function processBetween(port: number): Promise<ProcessBetween> {
  const child = spawn(process.execPath, ["-e", relayScript, `${port}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return {
    url: `ws://127.0.0.1:${Number(line)}`,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
