import { createDiscovery, type Discovery } from "@lmserv/discovery-core";
import { type MdnsOptions, mdns } from "@lmserv/discovery-mdns";

// Program of a user of the packages: a host that announces a server, and one that finds it.

const options: MdnsOptions = { interfaces: ["127.0.0.1"] };
const open = (): Promise<Discovery> => createDiscovery({ transports: [mdns(options)] });

await using host = await open();
await using visitor = await open();
const announced = await host.announce({ port: 8000, info: "consumer", path: "/chat" });
for await (const { kind, node } of visitor.watch({ signal: AbortSignal.timeout(240_000) })) {
  if (kind !== "up" || node.id !== announced.id) continue;
  console.log(`found ${node.info} at ${node.url}`);
  break;
}
