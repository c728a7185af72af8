import { createDiscovery } from "../../../packages/discovery-core/dist/bundle.js";
import { etcd } from "../../../packages/discovery-etcd/dist/index.js";
import { nats } from "../../../packages/discovery-nats/dist/index.js";

// Announces a node through a store and says, one JSON document a line, which nodes come and go and what it is warned of;
// SIGTERM is a goodbye.

const { info, store, options } = JSON.parse(process.argv[2] ?? "{}");
const say = (event) => console.log(JSON.stringify(event));

const onWarning = ({ code, message }) => say({ event: "warning", code, message });
const discovery = await createDiscovery({ transports: [{ etcd, nats }[store](options)], onWarning });
process.once("SIGTERM", () => discovery[Symbol.asyncDispose]());
say({ event: "opened" });
await discovery.announce({ port: 8000, info });
say({ event: "announced" });
for await (const { kind, node, reason } of discovery.watch()) {
  const isStale = node.sources.every(({ stale }) => stale !== null);
  say({ event: kind === "down" ? "down" : isStale ? "stale" : "fresh", info: node.info, reason });
}
