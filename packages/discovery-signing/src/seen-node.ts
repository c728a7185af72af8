import type { SeenAddress } from "@lmserv/discovery-core";
import type { ResolvedAnnouncement, SeenNode } from "@lmserv/discovery-core/transport";

/**
 * Node of a record, seen from here.
 *
 * @param memberId - Signer of the record. The signature proves its own id and `<id>.<port>`; other ids are
 * only claims.
 * @param addresses - Addresses of the record, most likely to answer first.
 */
export function seenNode(
  node: ResolvedAnnouncement,
  memberId: string,
  addresses: readonly SeenAddress[],
): SeenNode {
  const { id, port, scheme, info, hostname, path, server, apis, models, modelsCut, auth, attributes } = node;
  return {
    id,
    trust: isProven(node, memberId) ? "signed" : "announced",
    port,
    scheme: scheme ?? "http",
    info,
    addresses,
    hostname: hostname ?? null,
    path: path ?? null,
    server: server ?? null,
    apis: apis ?? [],
    models: models ?? [],
    ...(modelsCut && { modelsCut }),
    auth: auth ?? null,
    attributes: attributes ?? {},
  };
}

/** One key signs for all servers of a machine: the first has its id, the others that and their port. */
function isProven({ id, port }: ResolvedAnnouncement, memberId: string): boolean {
  return id === memberId || id === `${memberId}.${port}`;
}
