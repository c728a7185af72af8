/** Drops multicast DNS of both families; unicast, and so the answers to unicast questions, passes. */
export const multicastRules: string = `ip daddr 224.0.0.0/4 udp dport 5353 drop
ip6 daddr ff00::/8 udp dport 5353 drop`;

/** Loses every copy of a frame with the same chance, copies of one multicast independently. */
export function lossRules(percent: number): string {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(`percent is ${percent}, but a loss is 0 to 100`);
  }
  return `numgen random mod 1000 < ${Math.round(percent * 10)} drop`;
}

/** nftables script that applies `rules` to forwarded frames, in place of the rules of that name. */
export function filterScript(name: string, rules: string | null): string {
  const table = `table bridge ${name}`;
  const forget = `${table}\ndelete ${table}\n`;
  if (rules === null) return forget;
  return `${forget}${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ${rules}
  }
}
`;
}
