import type { Alive, Gone, SeenNode } from "../src/authors.ts";
import type { Reach, SeenAddress } from "../src/index.ts";

/** Node of a transport, with defaults for absent fields. */
export function seenNode(fields: Partial<SeenNode> = {}): SeenNode {
  return {
    id: "box",
    trust: "announced",
    port: 8000,
    scheme: "http",
    info: "",
    addresses: [{ address: "10.0.0.1", reach: "source" }],
    hostname: null,
    path: null,
    server: null,
    apis: [],
    models: [],
    auth: null,
    attributes: {},
    ...fields,
  };
}

/** Address with its reach; by default the source of a packet. */
export function at(address: string, reach: Reach = "source"): SeenAddress {
  return { address, reach };
}

export type AliveFields = Partial<SeenNode> &
  Partial<Pick<Alive, "via" | "key" | "ttlMs" | "origin" | "heardMs">>;

export function alive({
  via = "mdns",
  key = "box",
  ttlMs = 60_000,
  origin,
  heardMs = 0,
  ...rest
}: AliveFields = {}): Alive {
  const node = seenNode(rest);
  const from = origin ?? node.addresses[0]?.address ?? "";
  return { kind: "alive", via, key, origin: from, heardMs, ttlMs, node };
}

export function gone({ via = "mdns", key = "box", reason = "goodbye" }: Partial<Gone> = {}): Gone {
  return { kind: "gone", via, key, reason };
}
