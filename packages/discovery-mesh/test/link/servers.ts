import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Server, type Socket } from "node:net";

export interface ServedPort extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** Listens on a loopback port; disposal hangs up on everybody. */
export async function serve(server: Server): Promise<ServedPort> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has a port");
  return {
    port: address.port,
    url: `ws://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A server that takes no connection: its process is stopped, and its backlog is full. */
export async function fullServer(
  port: number,
): Promise<AsyncDisposable & { readonly host: string; readonly port: number }> {
  const script = `
    const server = require("node:net").createServer();
    server.listen({ host: "127.0.0.7", port: ${port}, backlog: 1 }, () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 8 }, () =>
    connect({ host: "127.0.0.7", port: Number(line) }).on("error", () => {}),
  );
  await once(fillers[0] ?? child, "connect");
  return {
    host: "127.0.0.7",
    port: Number(line),
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
