import { closeSync, constants, openSync, writeSync } from "node:fs";
import { connect, Socket, type SocketConstructorOpts } from "node:net";
import type { Clock } from "@lmserv/discovery-core/transport";
import { statsOf } from "./open-file.ts";

/** Interval of probing a socket, in ms. */
const periodMs = 1_000;

/**
 * Calls back when the last reader of an output has gone, without writing to it; returns the function that
 * ends it.
 *
 * A pipe of Linux reports it, a socket when it is probed. For all others, also other systems' pipes, only a
 * failing write shows it.
 */
export function watchReader(fd: number, clock: Clock, onGone: () => void): () => void {
  const kind = statsOf(fd);
  if (kind.isFIFO() && process.platform === "linux") return watchPipe(fd, onGone);
  return kind.isSocket() ? watchSocket(fd, clock, onGone) : () => {};
}

/**
 * Watches a pipe.
 *
 * The kernel reports an error on it when its last reader goes (`EPOLLERR`, see pipe(7) and poll(2)), to those
 * who poll it. Node polls files that it reads. It refuses to read one that is open for writing only, except
 * as a TCP socket, which it does not check. As nothing can be read, a failing read shows that the reader
 * went.
 *
 * The pipe is opened a second time. So the output itself keeps its mode and its place in Node's event loop.
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
    // Without /proc, or in a Node of another structure, only a write shows it.
    if (own !== null) closeSync(own);
    return () => {};
  }
}

/** Handle inside a socket of Node. */
interface TcpHandle {
  open(fd: number): number;
}

/** Node exposes no handle, except inside a socket; this one is destroyed before it connects. */
function tcpHandle(): TcpHandle {
  const socket = connect({ host: "127.0.0.1", port: 1 });
  const { _handle } = socket as unknown as { readonly _handle: object };
  socket.destroy();
  const Handle = _handle.constructor as new (type: number) => TcpHandle;
  return new Handle(0);
}

/** Writing nothing to a socket fails when the other end is closed (`EPIPE`). */
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
