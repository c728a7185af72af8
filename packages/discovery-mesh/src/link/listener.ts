import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Door, type DoorOptions, protectionOf } from "./door.ts";
import { exposure } from "./exposure.ts";
import type { ListenAddress } from "./listen-address.ts";

export interface ListenOptions extends DoorOptions {
  readonly addresses: readonly ListenAddress[];
}

/** Takes links in. Disposal ends the connections that are not links yet; links stay. */
export interface Listener extends AsyncDisposable {
  /** With the ports that were taken. */
  readonly addresses: readonly ListenAddress[];
}

/**
 * Listens on every address, or on none.
 *
 * @throws {RangeError} for an address that needs more protection than there is, before any is taken; the
 *   system's error for one that cannot be had.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  for (const { host, port } of options.addresses) {
    const reason = exposure(host, port, protectionOf(options));
    if (reason !== null) throw new RangeError(reason);
  }
  const door = new Door(options);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    door.shut();
    // A server ends with its last connection, which may be a link: nobody waits for that.
    for (const server of servers) server.close();
  };
  try {
    for (const { host, port } of options.addresses) {
      const server = createServer((socket) => door.open(socket));
      server.listen({ host, port, ipv6Only: host === "::" });
      await once(server, "listening");
      servers.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses: servers.map(addressOf), [Symbol.asyncDispose]: close };
}

function addressOf(server: Server): ListenAddress {
  const { address, port } = server.address() as AddressInfo; // Of a server that listens on a port.
  return { host: address, port };
}
