// Announces the LLM server on a port of this machine until Ctrl-C: node dist/announce.js PORT
import { createDiscovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";

const port = Number(process.argv[2] ?? 8000);

const discovery = await createDiscovery({ transports: [mdns()] });
await discovery.announce({ port, info: "from an example", apis: ["openai"], models: ["llama3"] });
console.log(`announced port ${port}`);
// Disposal says goodbye, so that others drop the node at once.
process.once("SIGINT", () => discovery[Symbol.asyncDispose]());
