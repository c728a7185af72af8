import type { Alive, SeenNode } from "@lmserv/discovery-core/transport";
import { identification } from "./virtual-lan.ts";

/** Report of mDNS about one node. */
export function heard(id: string, address: string, port: number, rest: Partial<Alive> = {}): Alive {
  const { path, server, apis, models, auth } = identification(port);
  const node: SeenNode = {
    id,
    trust: "announced",
    port,
    scheme: "http",
    info: "gpu-box-01",
    addresses: [{ address, reach: "source" }],
    hostname: null,
    path,
    server,
    apis,
    models,
    auth,
    attributes: {},
  };
  return {
    kind: "alive",
    via: "mdns",
    key: id,
    origin: address,
    heardMs: 0,
    ttlMs: 3_600_000,
    node,
    ...rest,
  };
}
