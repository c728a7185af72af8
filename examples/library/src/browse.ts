// Prints each LLM server of the LAN as it comes, changes and goes. End it with Ctrl-C.
import { createDiscovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";

const discovery = await createDiscovery({ transports: [mdns()] });
process.once("SIGINT", () => discovery[Symbol.asyncDispose]());

for await (const { kind, node } of discovery.watch()) {
  console.log(kind, node.info, node.url, node.models.join(", "));
}
