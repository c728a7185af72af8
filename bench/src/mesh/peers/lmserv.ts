import { createDiscovery, type Discovery } from "@lmserv/discovery-core";
import { mesh } from "@lmserv/discovery-mesh";
import type { Plan, Sighting } from "../peer.ts";

const { name, address, seed, state, members, key }: Plan & { readonly key: string } = JSON.parse(
  process.argv[2] ?? "",
);
const firstPort = 7_946;
/** How many of the members here list each node. */
const listings = new Map<string, number>();

const say = (sighting: Sighting): void => console.log(JSON.stringify(sighting));

say({ kind: "started", name: "" });
for (let index = 0; index < members; index += 1) {
  const info = members === 1 ? name : `${name}-${index}`;
  const discovery = await join(firstPort + index);
  process.once("SIGTERM", () => discovery[Symbol.asyncDispose]());
  await discovery.announce({ port: 8_000 + index, info });
  void watch(discovery);
}

function join(port: number): Promise<Discovery> {
  return createDiscovery({
    transports: [
      mesh({
        cluster: "bench",
        keys: key,
        stateDirectory: state,
        listen: [{ host: address, port }],
        seeds: seed === null ? [] : [`ws://${seed}:${firstPort}`],
      }),
    ],
  });
}

/** A node is up for this process when all members here list it, and down when none does. */
async function watch(discovery: Discovery): Promise<void> {
  for await (const { kind, node } of discovery.watch()) {
    if (kind === "updated") continue;
    const count = (listings.get(node.info) ?? 0) + (kind === "up" ? 1 : -1);
    listings.set(node.info, count);
    if (count === (kind === "up" ? members : 0)) say({ kind, name: node.info });
  }
}
