import { isLinkLocal, parseAddress } from "@lmserv/discovery-core/transport";
import { type Network, network, networkContains } from "./network.ts";

/** Networks without host addresses, by the registries of RFC 6890. */
const nobodys: readonly Network[] = [
  "0.0.0.0/8", // this network, RFC 791
  "127.0.0.0/8", // loopback, RFC 1122 section 3.2.1.3
  "192.0.0.0/24", // protocol assignments, RFC 6890
  "224.0.0.0/4", // multicast, RFC 5771
  "240.0.0.0/4", // reserved, and the limited broadcast, RFC 1112 and 919
  "::/96", // unspecified, loopback and IPv4-compatible, RFC 4291
  "100::/64", // discarded, RFC 6666
  "ff00::/8", // multicast, RFC 4291
].map(network);

/** Networks that embed an IPv4 address, with the offset of its first byte. */
const translated: readonly { readonly within: Network; readonly at: number }[] = [
  { within: network("::ffff:0:0:0/96"), at: 12 }, // RFC 2765
  { within: network("64:ff9b::/96"), at: 12 }, // RFC 6052
  { within: network("64:ff9b:1::/48"), at: 12 }, // RFC 8215
  { within: network("2002::/16"), at: 2 }, // 6to4, RFC 3056
];

/**
 * True if another host can have the address, judged by the address alone.
 *
 * False for unspecified, loopback, multicast, broadcast and reserved addresses in any spelling, translated
 * ones included. True for documentation addresses, which labs use. A zone is allowed on link-local IPv6
 * addresses only (RFC 4007 section 6).
 */
export function isHostAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (!parsed || (parsed.zone !== null && !isLinkLocal(address))) return false;
  const { bytes } = parsed;
  if (nobodys.some((one) => networkContains(one, bytes))) return false;
  const through = translated.find(({ within }) => networkContains(within, bytes));
  return !through || isHostAddress(bytes.slice(through.at, through.at + 4).join("."));
}
