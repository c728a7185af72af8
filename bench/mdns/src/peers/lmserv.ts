import { createDiscovery, type Discovery } from "@lmserv/discovery-core";
import { mdns } from "@lmserv/discovery-mdns";
import { drive, type Tell } from "../program.ts";

drive<Discovery>({
  open: () => createDiscovery({ transports: [mdns()] }),
  async announce(discovery, { info, port, chosen }) {
    const standing = await discovery.announce({ port, info, ...(chosen && { name: info }) });
    return () => standing[Symbol.asyncDispose]();
  },
  browse: watch,
  reconfirm(discovery, info) {
    const node = discovery.registry.listAlive().find((candidate) => candidate.info === info);
    return node && discovery.reconfirm(node.id);
  },
});

async function watch(discovery: Discovery, tell: Tell): Promise<void> {
  for await (const { kind, node } of discovery.watch()) {
    if (kind !== "updated") tell(kind, node.info);
  }
}
