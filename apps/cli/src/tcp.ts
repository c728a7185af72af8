import { connect } from "node:net";
import type { Connect } from "./server-watch.ts";

/** Connects and closes at once. */
export const connectTcp: Connect = (address, port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, signal });
    socket.on("error", reject);
    socket.once("connect", () => {
      // TCP lets a socket connect to itself when its own port, chosen at random, is the one it asks for.
      const itself = socket.localPort === port && socket.localAddress === socket.remoteAddress;
      socket.destroy();
      if (itself) reject(new Error(`nobody but this process answers on port ${port}`));
      else resolve();
    });
  });
