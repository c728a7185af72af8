import { createDiscovery } from "../../../packages/discovery-core/dist/bundle.js";
import { mesh } from "../../../packages/discovery-mesh/dist/index.js";

// Announces a node over the mesh and says, one JSON document a line, which nodes come and go; SIGTERM is a goodbye.

const { info, options } = JSON.parse(process.argv[2] ?? "{}");
const say = (event) => console.log(JSON.stringify(event));

const discovery = await createDiscovery({ transports: [mesh(options)] });
process.once("SIGTERM", () => discovery[Symbol.asyncDispose]());
await discovery.announce({ port: 8000, info });
say({ event: "announced" });
for await (const { kind, node, reason } of discovery.watch()) {
  if (kind !== "updated") say({ event: kind, info: node.info, reason });
}
