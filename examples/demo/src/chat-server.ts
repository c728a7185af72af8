import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { createDiscovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";
import { chatApi } from "./chat-api.ts";

// A chat server that every program on the link finds without configuration.

const { values } = parseArgs({
  options: {
    address: { type: "string", default: "127.0.0.1" },
    info: { type: "string", default: "demo" },
    model: { type: "string", default: "parrot-1b" },
    id: { type: "string" },
  },
});
const { address, info, model, id } = values;

const ending = new AbortController();
const { signal } = ending;
const ended = once(signal, "abort");
// It ends in any case.
signal.addEventListener("abort", () => setTimeout(() => process.exit(1), 2_000));
for (const event of ["SIGINT", "SIGTERM", "disconnect"]) process.on(event, () => ending.abort());
// The parent may be gone already.
if (process.connected === false) ending.abort();

const server = createServer(chatApi({ info, model })).listen(0, address);
await once(server, "listening");
const bound = server.address();
if (bound === null || typeof bound === "string") throw new TypeError(`${bound} is not a port`);

const discovery = await createDiscovery({ transports: [mdns({ interfaces: [address] })] });
try {
  await discovery.announce(
    { port: bound.port, info, path: "/chat", server: "lmserv", models: [model], ...(id && { id }) },
    { signal },
  );
  await ended;
} catch (error) {
  if (!signal.aborted) throw error;
} finally {
  // Says goodbye.
  await discovery[Symbol.asyncDispose]();
}
process.exit();
