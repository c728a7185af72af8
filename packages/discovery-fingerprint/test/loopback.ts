import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { type Clock, systemClock } from "@lmserv/discovery-core/transport";
import { certificate } from "@lmserv/test-near";
import { onTestFinished } from "vitest";
import type { Recording } from "./fixtures/recording.ts";

export const host = "127.0.0.1";

/** Clock of this machine with timers that come thirty times later: a busy machine is no slow server. */
export const leisurelyClock: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) => systemClock.schedule(30 * delayMs, callback),
};

/** Server on loopback with its received requests; it ends with the test. */
export interface Loopback {
  readonly port: number;
  readonly requests: readonly IncomingMessage[];
  readonly connections: () => number;
  /** Count of open connections. */
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

export async function serveHttp(listener: RequestListener, address = host): Promise<Loopback> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  return { ...(await listen(server, address)), requests };
}

/** TLS server with an untrusted certificate. */
export async function serveHttps(listener: RequestListener, address: string = host): Promise<Loopback> {
  const requests: IncomingMessage[] = [];
  const server = createTlsServer(certificate, (request, response) => {
    requests.push(request);
    listener(request, response);
  });
  return { ...(await listen(server, address)), requests };
}

/** Server of raw bytes, which no HTTP server would send. */
export async function serveTcp(onConnection: (socket: Socket) => void): Promise<Loopback> {
  return { ...(await listen(createTcpServer(onConnection), host)), requests: [] };
}

/** Listens with room for two connections, and never accepts one. */
const frozen = `
const server = require("node:net").createServer();
server.listen(0, "${host}", 1, () => {
  require("node:fs").writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** Port with a full queue of connections, so that the kernel drops new ones. */
export async function serveFull(): Promise<{ readonly port: number }> {
  const child = spawn(process.execPath, ["-e", frozen], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(printed.toString());
  for (let waiting = 0; waiting < 2; waiting += 1) {
    const socket = connect(port, host);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
  }
  return { port };
}

/** Blocks a server's answers until it opens. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Serves the answers of a recorded server. */
export function replay(
  recording: Recording,
  { address = host, after }: { readonly address?: string; readonly after?: Gate } = {},
): Promise<Loopback> {
  return serveHttp(answerAs(recording, after), address);
}

/** Listener with the answers of a recorded server. */
export function answerAs({ answers, otherwise, headers = {} }: Recording, after?: Gate): RequestListener {
  return async ({ url = "" }, response) => {
    await after?.opened;
    const { status, type, body } = answers[url] ?? otherwise;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (type !== null) response.setHeader("content-type", type);
    if (status === 302) response.setHeader("location", url);
    response.writeHead(status).end(body);
  };
}

async function listen(server: Server, address: string): Promise<Omit<Loopback, "requests">> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const close = (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections, open: () => sockets.size, close };
}
