import { filterScript, lossRules, multicastRules } from "./filter.ts";
import { startHolder, type User } from "./holder.ts";
import type { HostProcess } from "./host-process.ts";
import { openPlace, type Place, runOrThrow } from "./place.ts";
import { type HostPlan, lanScript, planHosts } from "./plan.ts";

export interface LanOptions<N extends number> {
  /** Count of hosts, 1 to 240. */
  readonly hosts: N;
  /**
   * Source of the hosts' MAC addresses, and those of mDNS' groups: permanent entries, or ARP and NDP.
   *
   * The kernel has one neighbor table of 1,024 learned entries for each family and all namespaces. If other
   * programs fill it, packets to learned neighbors vanish, multicast included. Addresses that a test adds are
   * learned in either case. @default "known"
   */
  readonly neighbors?: "known" | "learned";
  /** Owner of the LAN, which only root can set. @default the caller */
  readonly user?: User;
}

/** Host with its own interfaces, addresses, ports and host name; the files are the machine's. */
export interface Host extends Place, HostPlan {
  /** Takes its link at the switch down: the host loses the carrier and keeps its addresses. */
  readonly cut: () => Promise<void>;
  readonly heal: () => Promise<void>;
}

/** Tuple of `N` hosts, so that `const [a, b] = lan.hosts` needs no further check. */
export type Hosts<N extends number, Found extends readonly Host[] = readonly []> = number extends N
  ? readonly Host[]
  : Found["length"] extends N
    ? Found
    : Hosts<N, readonly [...Found, Host]>;

/** Hosts on one Ethernet, isolated from the machine's own network. Disposal ends all its processes. */
export interface Lan<N extends number = number> extends AsyncDisposable {
  readonly hosts: Hosts<N>;
  /** Bridge `br0`, with one port per host, called as the host is. */
  readonly switch: Place;
  /** Drops, or lets pass again, UDP 5353 to group addresses of both families. */
  readonly dropMulticast: (drop: boolean) => Promise<void>;
  /** Loses frames of any kind at random, each forwarded copy for itself, 0 to 100 percent. */
  readonly lose: (percent: number) => Promise<void>;
  /**
   * Applies nftables rules (family `bridge`, hook `forward`), or removes those of that name.
   *
   * `iifname "h1" oifname "h2" drop` is a hole that no host is told of.
   */
  readonly filter: (name: string, rules: string | null) => Promise<void>;
}

/** Sets a port of the bridge up and waits until it passes frames: the kernel defers that on a busy machine. */
const healScript = `
ip link set "$0" up
timeout 60 sh -c 'until bridge link show dev "$0" | grep -q "state forwarding"; do sleep 0.01; done' "$0"`;

/** Builds a LAN with addresses 10.77.0.1/24 upwards, IPv6 link-local ones, and no default route. */
export async function createLan<const N extends number>(options: LanOptions<N>): Promise<Lan<N>> {
  const plans = planHosts(options.hosts);
  const holder = await startHolder(lanScript(plans, options.neighbors ?? "known"), options.user);
  const live = new Set<HostProcess>();
  const hub = openPlace(holder, "switch", "br0", live);

  const hosts = plans.map(
    (plan): Host => ({
      ...plan,
      ...openPlace(holder, plan.name, "eth0", live),
      cut: async () => {
        await runOrThrow(hub, ["ip", "link", "set", plan.name, "down"]);
      },
      heal: async () => {
        await runOrThrow(hub, ["sh", "-ec", healScript, plan.name]);
      },
    }),
  );
  const filter = async (name: string, rules: string | null): Promise<void> => {
    await runOrThrow(hub, ["nft", "-f", "-"], { input: filterScript(name, rules) });
  };

  return {
    // The compiler cannot count the planned hosts.
    hosts: hosts as readonly Host[] as Hosts<N>,
    switch: hub,
    dropMulticast: (drop) => filter("multicast", drop ? multicastRules : null),
    lose: async (percent) => filter("loss", lossRules(percent)),
    filter,
    async [Symbol.asyncDispose]() {
      await Promise.all([...live].map((started) => started[Symbol.asyncDispose]()));
      await holder[Symbol.asyncDispose]();
    },
  };
}
