import { createSocket, type Socket } from "node:dgram";
import { type Endpoint, mdnsPort } from "./link.ts";

/**
 * Opens a socket for answers to `address` alone, or returns null when somebody else has the port there.
 *
 * The kernel gives a unicast packet to one socket only: with another mDNS stack on the machine, either its
 * answers or ours would be lost. A bind without address reuse succeeds only when there is none (RFC 6762
 * section 15.1). The socket that stays allows reuse, so that nobody who starts now is kept from the port.
 */
export async function openUnicast(
  address: string,
  take: (bytes: Uint8Array, from: Endpoint) => void,
): Promise<Socket | null> {
  const trial = await bind(address, false);
  if (!trial) return null;
  await new Promise<void>((resolve) => trial.close(resolve));
  const socket = await bind(address, true);
  socket?.on("message", (bytes, { address: from, port }) => take(bytes, { address: from, port }));
  return socket;
}

function bind(address: string, reuseAddr: boolean): Promise<Socket | null> {
  const socket = createSocket({ type: "udp4", reuseAddr });
  return new Promise((resolve) => {
    socket.on("error", () => {
      socket.close();
      resolve(null);
    });
    socket.bind(mdnsPort, address, () => {
      socket.removeAllListeners("error");
      // From here on it only receives; what goes wrong with it costs an answer that multicast brings too.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
