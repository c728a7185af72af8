/** A /24 has 254 addresses; the last ones stay free for addresses that a test adds. */
const maxHosts = 240;

/** Groups of multicast DNS (RFC 6762 section 3), for which the kernel keeps entries as for hosts. */
const groups = [
  { address: "224.0.0.251", mac: "01:00:5e:00:00:fb" },
  { address: "ff02::fb", mac: "33:33:00:00:00:fb" },
] as const;

/** Names and addresses of a planned host. */
export interface HostPlan {
  /** Host name (`h1`, `h2`, ...), namespace, and interface at the switch. */
  readonly name: string;
  readonly address: string;
  readonly linkLocal: string;
  readonly mac: string;
}

/** Names and addresses of `count` hosts, 1 to 240: `h1` is 10.77.0.1. */
export function planHosts(count: number): readonly HostPlan[] {
  if (!Number.isInteger(count) || count < 1 || count > maxHosts) {
    throw new RangeError(`hosts is ${count}, but a LAN has 1 to ${maxHosts} of them`);
  }
  return Array.from({ length: count }, (_, index) => planHost(index + 1));
}

function planHost(number: number): HostPlan {
  const hex = number.toString(16);
  return {
    name: `h${number}`,
    address: `10.77.0.${number}`,
    // Address that the kernel derives from the MAC (RFC 4291, appendix A).
    linkLocal: `fe80::aff:fe4d:${hex}`,
    mac: `02:00:0a:4d:00:${hex.padStart(2, "0")}`,
  };
}

/**
 * Shell script that turns fresh namespaces into a LAN, prints its own pid, and holds the LAN.
 *
 * It ends with its standard input. The pid is that of the outer namespace; `/run/proc` shows those numbers to
 * the processes inside.
 */
export function lanScript(hosts: readonly HostPlan[], neighbors: "known" | "learned"): string {
  const names = ["switch", ...hosts.map((host) => host.name)];
  return `set -e
read -r pid rest </proc/self/stat
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/uts /run/proc
mount --rbind /proc /run/proc
mount -t proc proc /proc
${batch(
  "ip -batch -",
  names.map((name) => `netns add ${name}`),
)}
${batch("ip -n switch -batch -", switchLines(hosts))}
become() {
  : >"/run/uts/$1"
  nsenter "--net=/run/netns/$1" unshare "--uts=/run/uts/$1" sh -c '
    set -e
    hostname "$1"
    for scope in all default eth0; do echo 0 >/proc/sys/net/ipv6/conf/$scope/accept_dad; done
    ip -batch -' sh "$1"
}
: >/run/uts/switch
unshare --uts=/run/uts/switch hostname switch
${hosts.map((host) => batch(`become ${host.name}`, hostLines(host, neighbors === "known" ? hosts : []))).join("\n")}
# The kernel hears of a carrier later; until then a host has no source for packets to a group of IPv6.
for host in ${hosts.map(({ name }) => name).join(" ")}; do
  until ip -n "$host" -6 route get ff02::fb oif eth0 2>/dev/null | grep -q src; do sleep 0.01; done
done
echo "$pid"
exec cat
`;
}

function batch(command: string, lines: readonly string[]): string {
  return `${command} <<END\n${lines.join("\n")}\nEND`;
}

function switchLines(hosts: readonly HostPlan[]): readonly string[] {
  return [
    "link set lo up",
    "link add br0 type bridge mcast_snooping 0",
    "link set br0 up",
    ...hosts.flatMap(({ name, mac }) => [
      `link add ${name} type veth peer name eth0 address ${mac} netns ${name}`,
      `link set ${name} master br0 up`,
    ]),
  ];
}

function hostLines(host: HostPlan, neighbors: readonly HostPlan[]): readonly string[] {
  return [
    "link set lo up",
    "link set eth0 up",
    `addr add ${host.address}/24 brd + dev eth0`,
    `addr replace ${host.linkLocal}/64 dev eth0 nodad`,
    ...neighbors
      .filter(({ name }) => name !== host.name)
      .flatMap(({ address, linkLocal, mac }) => [known(address, mac), known(linkLocal, mac)]),
    ...(neighbors.length > 0 ? groups : []).map(({ address, mac }) => known(address, mac)),
  ];
}

function known(address: string, mac: string): string {
  return `neigh replace ${address} lladdr ${mac} nud permanent dev eth0`;
}
