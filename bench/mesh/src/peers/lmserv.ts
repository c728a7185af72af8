import { createDiscovery } from "@lmserv/discovery-core";
import { mesh } from "@lmserv/discovery-mesh";
import type { Plan, Sighting } from "../peer.ts";

const { name, address, seed, state, key }: Plan & { readonly key: string } = JSON.parse(
  process.argv[2] ?? "",
);
const port = 7_946;

const say = (sighting: Sighting): void => console.log(JSON.stringify(sighting));

say({ kind: "started", name: "" });
const discovery = await createDiscovery({
  transports: [
    mesh({
      cluster: "bench",
      keys: key,
      stateDirectory: state,
      listen: [{ host: address, port }],
      seeds: seed === null ? [] : [`ws://${seed}:${port}`],
    }),
  ],
});
process.once("SIGTERM", () => discovery[Symbol.asyncDispose]());
void discovery.announce({ port: 8_000, info: name });
for await (const { kind, node } of discovery.watch()) {
  if (kind !== "updated") say({ kind, name: node.info });
}
