import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { connect, Socket, type SocketConstructorOpts } from "node:net";
import type { Clock } from "@lmserv/discovery-core/transport";

/** How often a socket is asked. */
const periodMs = 1_000;

/**
 * Calls back when nobody reads an output any more, without writing to it; the result ends that.
 *
 * A pipe of Linux says so by itself, a socket when it is asked. Of all else, of other systems' pipes too, only a write
 * tells, as it fails.
 */
export function watchReader(fd: number, clock: Clock, onGone: () => void): () => void {
  const kind = fstatSync(fd);
  if (kind.isFIFO() && process.platform === "linux") return watchPipe(fd, onGone);
  return kind.isSocket() ? watchSocket(fd, clock, onGone) : () => {};
}

/**
 * The kernel reports an error on a pipe when its last reader goes (`EPOLLERR`, see pipe(7) and poll(2)), to those who
 * poll it. Node polls what it reads, and refuses to read what is open for writing only, except as a TCP socket: only
 * there it does not look. A reading that fails, since nothing can be read, is then the sign that the reader went.
 *
 * The pipe is opened a second time, so that the output itself keeps its mode and its place in Node's event loop.
 */
function watchPipe(fd: number, onGone: () => void): () => void {
  let own: number | null = null;
  try {
    own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY);
    const handle = tcpHandle();
    if (handle.open(own) !== 0) throw new Error("the pipe cannot be polled");
    const options = { handle, writable: false } as SocketConstructorOpts;
    const socket = new Socket(options).on("error", () => {}).once("close", onGone);
    socket.resume().unref();
    return () => socket.off("close", onGone).destroy();
  } catch {
    // Without /proc, or in a Node of other insides, only a write tells.
    if (own !== null) closeSync(own);
    return () => {};
  }
}

/** What a socket of Node wraps. */
interface TcpHandle {
  open(fd: number): number;
}

/** Node gives nobody a handle, except as the insides of a socket; this one is destroyed before it connects. */
function tcpHandle(): TcpHandle {
  const socket = connect({ host: "127.0.0.1", port: 1 });
  const { _handle } = socket as unknown as { readonly _handle: object };
  socket.destroy();
  const Handle = _handle.constructor as new (type: number) => TcpHandle;
  return new Handle(0);
}

/** To write nothing to a socket fails when the other end is closed (`EPIPE`). */
function watchSocket(fd: number, clock: Clock, onGone: () => void): () => void {
  let cancel = (): void => {};
  const ask = (): void => {
    if (canWrite(fd)) cancel = clock.schedule(periodMs, ask);
    else onGone();
  };
  ask();
  return () => cancel();
}

function canWrite(fd: number): boolean {
  try {
    writeSync(fd, new Uint8Array(0));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    return code !== "EPIPE" && code !== "ECONNRESET";
  }
}
