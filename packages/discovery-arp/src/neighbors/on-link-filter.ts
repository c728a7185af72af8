import { isIPv6, isLinkLocal } from "@lmserv/discovery-core/transport";
import { isPrivate } from "@lmserv/discovery-network";
import { contains, isIn, parseIPv4, type Subnet } from "../ipv4.ts";
import { isNamed, type NetworkLink } from "../links.ts";
import type { Settings } from "../settings.ts";
import { type Neighbor, proxiesAmong } from "./neighbor.ts";

/** Selects the neighbors that may be asked: those on this machine's own private LANs, or on named links. */
export class OnLinkFilter {
  readonly #links: readonly NetworkLink[];
  readonly #isNamed: boolean;
  readonly #exclude: readonly Subnet[];
  /** This machine's own addresses on all links, which are no neighbors. */
  readonly #own: ReadonlySet<string>;

  constructor(
    links: readonly NetworkLink[],
    { interfaces: wanted, exclude }: Pick<Settings, "interfaces" | "exclude">,
  ) {
    this.#exclude = exclude;
    this.#own = new Set(links.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
    this.#isNamed = wanted !== undefined;
    this.#links = links.filter((link) => {
      if (link.kind === "loopback" || link.kind === "tunnel") return false;
      return wanted ? isNamed(link, wanted) : link.kind === "lan";
    });
  }

  /** Names of the links in use. */
  get links(): readonly string[] {
    return this.#links.map(({ name }) => name);
  }

  /** IPv4 neighbors that may be asked, by address, without those that a router answers for. */
  hosts(neighbors: readonly Neighbor[]): readonly string[] {
    const proxies = proxiesAmong(neighbors);
    return neighbors
      .filter((neighbor) => !proxies.has(neighbor.mac) && this.#isNear(neighbor))
      .map(({ address }) => address);
  }

  /** IPv6 neighbors that may be asked, with their zones: those without a known IPv4 address. */
  hostsOverIPv6(ipv6: readonly Neighbor[], ipv4: readonly Neighbor[]): readonly string[] {
    const known = new Set(ipv4.map(({ mac }) => mac));
    const seen = new Set<string>();
    return ipv6.flatMap((neighbor) => {
      const { mac } = neighbor;
      if (!this.#isNearOverIPv6(neighbor) || known.has(mac) || seen.has(mac)) return [];
      seen.add(mac);
      return [zoned(neighbor)];
    });
  }

  /** IPv4 address of each IPv6 neighbor, zones included, whose MAC has exactly one: both are one machine. */
  twins(ipv6: readonly Neighbor[], ipv4: readonly Neighbor[]): ReadonlyMap<string, string> {
    const pairs = ipv6.flatMap((neighbor): [string, string][] => {
      const [twin, ...others] = ipv4.filter(({ mac }) => mac === neighbor.mac);
      return twin && others.length === 0 ? [[zoned(neighbor), twin.address]] : [];
    });
    return new Map(pairs);
  }

  /** True if a node of another transport is on a link in use. */
  isOnLink(address: string): boolean {
    return !isIPv6(address) && this.#isNear({ address, link: null });
  }

  #isNearOverIPv6({ address, link }: Neighbor): boolean {
    return this.#links.some(({ name }) => name === link) && (this.#isNamed || isLocal(address));
  }

  #isNear({ address, link }: Pick<Neighbor, "address" | "link">): boolean {
    const value = parseIPv4(address);
    if (value === null || isIn(value, this.#exclude)) return false;
    if (this.#own.has(address) || !(this.#isNamed || isLocal(address))) return false;
    return this.#links.some(
      ({ name, subnets }) =>
        (link === null || link === name) && subnets.some(({ subnet }) => contains(subnet, value)),
    );
  }
}

function zoned({ address, link }: Neighbor): string {
  return isLinkLocal(address) ? `${address}%${link}` : address;
}

/** Link-local addresses (RFC 3927, RFC 4291) and private ones (RFC 1918, RFC 4193) are local. */
function isLocal(address: string): boolean {
  return isLinkLocal(address) || isPrivate(address);
}
