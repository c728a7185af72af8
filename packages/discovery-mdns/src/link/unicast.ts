import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "@lmserv/discovery-core/transport";
import { mdnsPort, type SocketAddress } from "./link.ts";
import { numericLookup } from "./numeric-lookup.ts";

/**
 * Opens a socket for unicast answers on each address, or none if another program holds the port on one.
 *
 * The kernel gives a unicast packet to one socket only. With another mDNS stack on the machine, its answers
 * or ours would be lost. A bind without address reuse succeeds only if there is no other (RFC 6762 section
 * 15.1). The sockets that stay allow reuse, so that programs started later can bind the port.
 */
export async function openUnicast(
  addresses: readonly string[],
  take: (bytes: Uint8Array, from: SocketAddress) => void,
): Promise<readonly Socket[]> {
  const outcomes = await Promise.all(addresses.map(openExclusive));
  const sockets = outcomes.filter((socket) => socket !== null);
  if (sockets.length < addresses.length) {
    for (const socket of sockets) socket.close();
    return [];
  }
  for (const socket of sockets) {
    socket.on("message", (bytes, { address, port }) => take(bytes, { address, port }));
  }
  return sockets;
}

async function openExclusive(address: string): Promise<Socket | null> {
  const trial = await bind(address, false);
  if (!trial) return null;
  // The port is free at once, before the close event.
  trial.close();
  return await bind(address, true);
}

function bind(address: string, reuseAddr: boolean): Promise<Socket | null> {
  const lookup = numericLookup();
  const socket = createSocket(
    isIPv6(address)
      ? { type: "udp6", ipv6Only: true, reuseAddr, lookup }
      : { type: "udp4", reuseAddr, lookup },
  );
  return new Promise((resolve) => {
    socket.on("error", () => {
      socket.close();
      resolve(null);
    });
    socket.bind(mdnsPort, address, () => {
      socket.removeAllListeners("error");
      // From here on it only receives; multicast brings any answer that an error costs.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
