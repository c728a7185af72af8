import { once } from "node:events";
import { mkdir, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { type Clock, sleep } from "@lmserv/discovery-core/transport";

/** Right to announce a port of this machine, until it is disposed or the process ends. */
export type PortClaim =
  | ({ readonly kind: "held" } & AsyncDisposable)
  /** `pid` is null if the process does not answer. */
  | { readonly kind: "taken"; readonly pid: number | null };

export type ClaimPort = (port: number) => Promise<PortClaim>;

/** A process on this machine answers at once, unless it was stopped. */
const answerMs = 1_000;
/** A number and a line break. */
const maxAnswerBytes = 32;
/** Bound on concurrent questions; each ends at once. */
const maxAsking = 16;
/** Between the question and the next attempt the other process may end, or a third may be faster. */
const maxAttempts = 3;

/**
 * Claims a port for announcing: a local socket, which the system closes when its process ends, also by `kill
 * -9`.
 *
 * If the system allows no such socket, every claim is held.
 *
 * @param at - Address of the socket. @default one for the port
 */
export async function claimPort(port: number, clock: Clock, at?: string): Promise<PortClaim> {
  const address = at ?? (await addressOf(port));
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const server = await listen(address);
    if (server === "unavailable") return { kind: "held", [Symbol.asyncDispose]: async () => {} };
    if (server !== "taken") return { kind: "held", [Symbol.asyncDispose]: () => close(server) };
    const holder = await askHolder(address, clock);
    if (holder !== "gone") return { kind: "taken", pid: holder };
    // Only a file outlives its process.
    if (isFile(address)) await unlink(address).catch(() => {});
  }
  return { kind: "taken", pid: null };
}

/**
 * Address of the claim of a port.
 *
 * On Linux it is an abstract name in the network stack of the port (unix(7)). On Windows it is a pipe of the
 * machine, elsewhere a file of the user.
 */
async function addressOf(port: number): Promise<string> {
  const name = `lmserv-announce-${port}`;
  if (process.platform === "linux") return `\0${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  const { stateDirectory } = await import("@lmserv/discovery-signing");
  return join(stateDirectory(), `${name}.sock`);
}

function isFile(address: string): boolean {
  return address.startsWith("/");
}

async function listen(address: string): Promise<Server | "taken" | "unavailable"> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(`${process.pid}\n`);
    // A client that stays connected must not keep this process from ending.
    socket.destroySoon();
  });
  server.maxConnections = maxAsking;
  try {
    if (isFile(address)) await mkdir(dirname(address), { recursive: true, mode: 0o700 });
    server.listen(address);
    await once(server, "listening");
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EADDRINUSE" ? "taken" : "unavailable";
  }
  server.on("error", () => {});
  return server.unref();
}

/** Process that holds the claim, or null if it does not answer. */
async function askHolder(address: string, clock: Clock): Promise<number | null | "gone"> {
  const socket = connect(address);
  const late = new AbortController();
  try {
    const answer = await Promise.race([readAll(socket), sleep(clock, answerMs, late.signal).then(() => "")]);
    const pid = Number(answer);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code === "ECONNREFUSED" || code === "ENOENT" ? "gone" : null;
  } finally {
    late.abort();
    socket.destroy();
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket.setEncoding("latin1")) {
    text += chunk;
    if (text.length > maxAnswerBytes) return "";
  }
  return text;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}
