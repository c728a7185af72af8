import type { Announced, SeenAddress, SeenNode } from "@lmserv/discovery-core";

/**
 * A node of a record, as it is seen from here.
 *
 * @param memberId - Whose record it is. The signature proves a node of that id; for any other the member merely speaks.
 * @param addresses - Those of the record, the ones first that are expected to answer.
 */
export function seenNode(node: Announced, memberId: string, addresses: readonly SeenAddress[]): SeenNode {
  const { id, port, scheme, info, hostname, path, server, apis, models, auth, attributes } = node;
  return {
    id,
    trust: id === memberId ? "signed" : "announced",
    port,
    scheme: scheme ?? "http",
    info,
    addresses,
    hostname: hostname ?? null,
    path: path ?? null,
    server: server ?? null,
    apis: apis ?? [],
    models: models ?? [],
    auth: auth ?? null,
    attributes: attributes ?? {},
  };
}
