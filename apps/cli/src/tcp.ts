import { connect } from "node:net";
import { onAbort } from "@lmserv/discovery-core";
import type { Connect } from "./server-watch.ts";

/** Connects and closes at once. */
export const connectTcp: Connect = (address, port, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host: address, port });
    // Not the option of `connect`: one signal stands for the connections to all addresses of this machine.
    const ignore = onAbort(signal, () => socket.destroy(signal.reason));
    socket.on("error", reject).once("close", ignore);
    socket.once("connect", () => {
      // TCP lets a socket connect to itself when its own port, chosen at random, is the one it asks for.
      const itself = socket.localPort === port && socket.localAddress === socket.remoteAddress;
      socket.destroy();
      if (itself) reject(new Error(`nobody but this process answers on port ${port}`));
      else resolve();
    });
  });
