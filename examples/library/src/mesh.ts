// Lists the servers of a mesh, for networks that block multicast: MESH_KEY=... node dist/mesh.js ws://HOST:7946
import { createDiscovery } from "@lmserv/discovery-core";
import { mesh } from "@lmserv/discovery-mesh";

const [seed = "ws://127.0.0.1:7946"] = process.argv.slice(2);
const key = process.env.MESH_KEY ?? "";

const discovery = await createDiscovery({ transports: [mesh({ seeds: [seed], keys: key })] });
process.once("SIGINT", () => discovery[Symbol.asyncDispose]());

for await (const { kind, node } of discovery.watch()) console.log(kind, node.info, node.url);
