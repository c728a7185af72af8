import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Discovery } from "@lmserv/discovery-core";
import { createGateway } from "@lmserv/discovery-gateway";

/** One address in front of all servers; disposal closes it. */
export interface Endpoint extends AsyncDisposable {
  /** Of the chat. */
  readonly url: string;
}

/** Serves every node of a discovery at a free port of loopback. */
export async function openEndpoint(discovery: Discovery): Promise<Endpoint> {
  const gateway = createGateway(discovery);
  const server = createServer((request, response) => void gateway.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/chat`,
    async [Symbol.asyncDispose]() {
      gateway[Symbol.dispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}
