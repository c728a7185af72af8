import { isLinkLocal } from "@lmserv/discovery-core/transport";
import { isPrivate, type SystemInterface } from "@lmserv/discovery-network";

/** Bound on sockets, enough for a machine on many networks. */
const maxAddresses = 64;

/**
 * Addresses at which a server is shared; link-local ones of IPv6 carry their zone.
 *
 * Without a key, only addresses that the internet does not reach: private (RFC 1918), unique-local (RFC 4193)
 * and link-local (RFC 3927, RFC 4291).
 */
export function shareAddresses(links: readonly SystemInterface[], hasKey: boolean): readonly string[] {
  const all = links.flatMap(({ name, addresses }) =>
    addresses
      .filter(({ address }) => hasKey || isPrivate(address) || isLinkLocal(address))
      .map(({ address, family }) =>
        family === "IPv6" && isLinkLocal(address) ? `${address}%${name}` : address,
      ),
  );
  return [...new Set(all)].slice(0, maxAddresses);
}
