import { isPrivate } from "@lmserv/discovery-network";
import {
  covers,
  formatIPv4,
  formatSubnet,
  hostsOf,
  isIn,
  parseIPv4,
  type Subnet,
  sizeOf,
  subnetOf,
} from "../ipv4.ts";
import { isNamed, type NetworkLink, type OwnSubnet } from "../links.ts";

/** Bound on a sweep's addresses: the kernel's neighbor table has room for as many. */
export const maxTargets = 1_024;
/** Prefix to which a larger subnet is narrowed: the /24 of this machine. */
const narrowedPrefix = 24;
/** Bound on the search through a mostly excluded range: no LAN is larger. */
const maxConsidered = 65_536;

export interface PlanOptions {
  readonly links: readonly NetworkLink[];
  /** Names or addresses of the only links to use; a named one may be public, or lead to guests. */
  readonly wanted?: readonly string[] | undefined;
  /** Only ranges to ask; each must lie in a subnet of a link. */
  readonly subnets?: readonly Subnet[] | undefined;
  /** Ranges that are never asked. */
  readonly exclude?: readonly Subnet[];
}

export interface Target {
  readonly address: string;
  /** Source address, one of this machine's own. */
  readonly from: string;
}

export interface PlannedRange {
  readonly link: string;
  readonly subnet: string;
  readonly count: number;
}

/** Unswept link or range, with the reason. */
export interface Omission {
  /** Link, link and subnet, or requested range. */
  readonly what: string;
  readonly reason: string;
  /** True if a user would expect it to be swept. */
  readonly surprising: boolean;
}

export interface SweepPlan {
  readonly targets: readonly Target[];
  readonly ranges: readonly PlannedRange[];
  readonly omissions: readonly Omission[];
}

interface Candidate {
  readonly link: string;
  readonly from: string;
  readonly subnet: Subnet;
}

/**
 * Plans the addresses of a sweep, and lists the omissions with their reasons.
 *
 * A sweep covers private subnets of this machine's own LANs, unless a link or a range is named. A subnet of
 * more than 1,024 addresses is narrowed to this machine's /24. All ranges together have at most 1,024
 * addresses.
 */
export function planSweep(options: PlanOptions): SweepPlan {
  const { links, exclude = [] } = options;
  const perLink = links.map((link) => candidatesOn(link, options));
  const omissions = [...perLink.flatMap((found) => found.omissions), ...strayRanges(options)];
  const own = new Set(links.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const chosen = new Map<string, Target>();
  const ranges: PlannedRange[] = [];
  for (const { link, from, subnet } of perLink.flatMap(({ candidates }) => candidates)) {
    const before = chosen.size;
    const cut = fill(
      chosen,
      { from, subnet },
      (address) => own.has(formatIPv4(address)) || isIn(address, exclude),
    );
    const count = chosen.size - before;
    if (count > 0) ranges.push({ link, subnet: formatSubnet(subnet), count });
    if (cut) omissions.push(cutShort(link, subnet));
  }
  return { targets: [...chosen.values()], ranges, omissions };
}

/** Adds a subnet's addresses that are not skipped; returns true if there was no room for all. */
function fill(
  chosen: Map<string, Target>,
  { from, subnet }: Omit<Candidate, "link">,
  isSkipped: (address: number) => boolean,
): boolean {
  let considered = 0;
  for (const value of hostsOf(subnet)) {
    considered += 1;
    if (considered > maxConsidered) return true;
    const address = formatIPv4(value);
    if (isSkipped(value) || chosen.has(address)) continue;
    if (chosen.size >= maxTargets) return true;
    chosen.set(address, { address, from });
  }
  return false;
}

interface LinkCandidates {
  readonly candidates: readonly Candidate[];
  readonly omissions: readonly Omission[];
}

function candidatesOn(link: NetworkLink, options: PlanOptions): LinkCandidates {
  const against = reasonAgainst(link, options.wanted);
  if (against) return { candidates: [], omissions: [{ what: link.name, ...against }] };
  const chosen = link.subnets.map((own) => ({ own, ...chooseFrom(own, options) }));
  return {
    candidates: chosen.flatMap(({ own, ranges }) =>
      ranges.map((subnet) => ({ link: link.name, from: own.address, subnet })),
    ),
    omissions: chosen.flatMap(({ own, omission }) =>
      omission ? [{ what: `${link.name} ${formatSubnet(own.subnet)}`, ...omission }] : [],
    ),
  };
}

/** Reason to sweep nothing on a link, or null. */
function reasonAgainst(
  link: NetworkLink,
  wanted: readonly string[] | undefined,
): Omit<Omission, "what"> | null {
  const named = wanted !== undefined && isNamed(link, wanted);
  if (wanted && !named) return { reason: "it was not named", surprising: false };
  if (link.kind === "loopback") return { reason: "it leads to this machine itself", surprising: named };
  if (link.kind === "tunnel")
    return { reason: "a tunnel has no neighbours to ask for by ARP", surprising: named };
  if (link.kind === "guests" && !named) {
    return { reason: "it leads to this machine's own guests; name it to sweep it", surprising: false };
  }
  return null;
}

interface Choice {
  readonly ranges: readonly Subnet[];
  readonly omission?: { readonly reason: string; readonly surprising: boolean };
}

/** Ranges to sweep in one of this machine's subnets. */
function chooseFrom({ address, subnet }: OwnSubnet, { wanted, subnets }: PlanOptions): Choice {
  if (subnets) return { ranges: subnets.flatMap((range) => common(subnet, range, wanted !== undefined)) };
  const leaveOut = (reason: string, surprising: boolean): Choice => ({
    ranges: [],
    omission: { reason, surprising },
  });
  const value = parseIPv4(address) ?? 0;
  if (subnet.prefixLength === 32) return leaveOut("a subnet of one address has no neighbours", false);
  if (!wanted && !isPrivate(address))
    return leaveOut("it is not a private network; name it to sweep it", true);
  if (sizeOf(subnet) <= maxTargets) return { ranges: [subnet] };
  const near = subnetOf(value, narrowedPrefix);
  const reason = `it has more than ${maxTargets} addresses: only ${formatSubnet(near)} is`;
  return { ranges: [near], omission: { reason, surprising: true } };
}

/** Part of this machine's subnet in a range; a public one needs a narrower range. */
function common(own: Subnet, range: Subnet, isNamed: boolean): readonly Subnet[] {
  if (covers(own, range)) return [range];
  return covers(range, own) && (isNamed || isPrivate(formatIPv4(own.base))) ? [own] : [];
}

function strayRanges({ links, subnets = [] }: PlanOptions): Omission[] {
  const onLink = links
    .filter(({ kind }) => kind === "lan" || kind === "guests")
    .flatMap((link) => link.subnets);
  return subnets
    .filter((range) => !onLink.some(({ subnet }) => covers(subnet, range) || covers(range, subnet)))
    .map((range) => ({
      what: formatSubnet(range),
      reason: "it is no subnet of a link of this machine",
      surprising: true,
    }));
}

function cutShort(link: string, subnet: Subnet): Omission {
  const reason = `a sweep asks ${maxTargets} addresses at most, and there are more`;
  return { what: `${link} ${formatSubnet(subnet)}`, reason, surprising: true };
}
